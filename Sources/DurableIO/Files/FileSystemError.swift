package import SystemPackage

/// A file operation the kernel refused: what was tried, on what, and why.
package struct FileSystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, as a verb that reads well after "cannot".
    package enum Operation: String, Sendable {
        case open
        case create
        case read
        case write
        case sync
        case rename
        case link
        case remove
        case list
        case inspect
        case lock
        case makeDirectory = "make directory"
        case changeMode = "change the mode of"
        case changeOwner = "change the owner of"
        case actAs = "act as"
        case watch
    }

    package let operation: Operation
    /// The path, or what else it was tried on; names that are not UTF-8 are repaired for display only.
    package let path: String
    package let errno: Errno

    package init(_ operation: Operation, _ path: String, _ errno: Errno = .last) {
        self.operation = operation
        self.path = path
        self.errno = errno
    }

    package var description: String {
        "cannot \(operation.rawValue) \(path): \(errno.description)"
    }

    /// Whether space has to be freed, by the user or by delivery, before the same call can succeed.
    package var isOutOfSpace: Bool {
        errno == .noSpace || errno == .diskQuotaExceeded || errno == .fileTooLarge
    }

    /// Whether it is this machine's trouble just now and says nothing about the file: too many open files, no memory.
    package var isPassing: Bool {
        [.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .interrupted].contains(errno)
    }
}

extension Errno {
    /// The calling thread's `errno`, to be read directly after the failed call.
    package static var last: Errno { Errno(rawValue: CurrentErrno.value) }
}
