import CLinux
import Glibc

/// Who the process acts as.
package enum UserIdentity {
    /// The effective user.
    package static var current: UInt32 { geteuid() }

    package static var homeDirectory: String? {
        if let home = Environment.value("HOME"), !home.isEmpty { return home }
        guard let entry = getpwuid(getuid()), let directory = entry.pointee.pw_dir else { return nil }
        return String(cString: directory)
    }

    /// Gives up root for good in favour of another user, groups included, so that nothing in a directory of that
    /// user can lead root anywhere.
    package static func become(user: UInt32, group: UInt32) throws(FileSystemError) {
        guard clinux_become_user(user, group) == 0 else {
            throw FileSystemError(.open, "user \(user)")
        }
    }
}

/// The process's environment variables.
package enum Environment {
    package static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// The names of all variables.
    package static var names: [String] {
        guard var next = clinux_environment() else { return [] }
        var names: [String] = []
        while let entry = next.pointee {
            names.append(String(String(cString: entry).prefix { $0 != "=" }))
            next += 1
        }
        return names
    }
}

/// The process itself.
package enum CurrentProcess {
    package static var identifier: Int32 { getpid() }

    package static var hostName: String {
        var bytes = [CChar](repeating: 0, count: 256)
        guard gethostname(&bytes, bytes.count - 1) == 0 else { return "localhost" }
        return bytes.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { String(cString: $0) } ?? "localhost"
        }
    }
}
