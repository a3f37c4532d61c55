import DurableIO

/// Why a drop stays where it is, and what to do, in words for people.
extension DropZone {
    /// Why no drop is taken from a mounted directory.
    package static func remote(_ name: String, _ directory: String = "incoming/") -> String {
        "\(directory) lies on \(name), where nobody can tell whether a file is complete: mount a local directory there"
    }

    static func words(_ obstacle: RenameObstacle, in room: Room = .incoming) -> String {
        let directory = room.path + "/"
        return switch obstacle {
        case .mountPoint: "is a mount point and cannot be moved: mount the directory that holds it, or copy it here"
        case .appendOnly: "is append-only and cannot be moved: run chattr -a on it, or copy it here"
        case .immutable: "is immutable and cannot be moved: run chattr -i on it, or copy it here"
        case .protectedDirectory:
            "cannot be moved out of \(directory), which is append-only or immutable: run chattr -a -i on it"
        case .readOnly: "cannot be moved, \(directory) is read-only: mount it writable"
        case .forbidden:
            "cannot be moved, this user may not write to \(directory): run as its owner, or let this user write"
        }
    }

    /// Why a rename failed, and what to do.
    static func words(_ error: FileSystemError, in room: Room = .incoming) -> String {
        switch error.errno {
        case .resourceBusy: words(.mountPoint, in: room)
        case .notPermitted:
            "cannot be moved, its attributes or those of \(room.path)/ forbid it: see lsattr, or copy it here"
        case .permissionDenied: words(.forbidden, in: room)
        case .readOnlyFileSystem: words(.readOnly, in: room)
        case .invalidArgument:
            "cannot be moved, the file system of \(room.path)/ cannot rename without replacing: use another one there"
        default: "cannot be moved: \(error.errno)"
        }
    }

    /// The text about a drop that the owner leaves where it is because processes have died over it.
    package static func poisonous(deaths: Int) -> String {
        "the program died \(deaths) times while it collected this drop: 'reports retry' with its name tries it again, "
            + "'reports remove' deletes it"
    }

    /// Why a file cannot be read, and what to do.
    /// - Parameters:
    ///   - error: of opening or reading the file.
    ///   - group: that of the file; `nil` if it is not known. The group's right to read is enough if it is this user's.
    /// - Returns: the text, which begins with a verb.
    static func unreadable(_ error: FileSystemError, group: UInt32? = nil) -> String {
        switch error.errno {
        case .permissionDenied, .notPermitted:
            "cannot be read: \(error.errno): its owner or root has to run "
                + "'chmod \(group == UserIdentity.currentGroup ? "g+r" : "a+r")' on it"
        case .tooManySymbolicLinkLevels: "is a symbolic link, not a file"
        default: "cannot be read: \(error.errno): move it away"
        }
    }
}
