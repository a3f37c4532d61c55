import CLinux
import Glibc
package import SystemPackage

/// Who the process acts as.
package enum UserIdentity {
    /// The effective user.
    package static var current: UInt32 { geteuid() }

    /// The effective group.
    package static var currentGroup: UInt32 { getegid() }

    /// The effective user's name, or the number of a user without one.
    package static var name: String {
        guard let name = getpwuid(current)?.pointee.pw_name else { return "\(current)" }
        return String(cString: name)
    }

    package static var homeDirectory: String? {
        if let home = Environment.value("HOME"), !home.isEmpty { return home }
        guard let entry = getpwuid(getuid()), let directory = entry.pointee.pw_dir else { return nil }
        return String(cString: directory)
    }

    /// Where programs keep their state: `$XDG_STATE_HOME`, else `~/.local/state`; `nil` for a user without a home.
    package static var stateDirectory: FilePath? {
        // XDG paths that are not absolute are to be ignored (Base Directory Specification).
        if let state = Environment.value("XDG_STATE_HOME"), state.hasPrefix("/") { return FilePath(state) }
        return homeDirectory.map { FilePath($0).appending(".local/state") }
    }

    /// Gives up root for good, in each thread, in favour of another user and that user's groups, so that nothing in a
    /// directory of that user can lead root anywhere.
    /// - Parameters:
    ///   - user: whom to become.
    ///   - group: the only group of a user whom the machine does not know.
    /// - Throws: ``FileSystemError`` when the process has no right to that, or a thread has kept root's rights for a
    ///   second. The process must not go on then.
    package static func become(user: UInt32, group: UInt32) throws(FileSystemError) {
        guard clinux_become_user(user, group) == 0 else {
            throw FileSystemError(.actAs, "user \(user)")
        }
    }
}
