import CLinux
import Glibc

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
