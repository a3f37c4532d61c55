import CLinux
import Glibc

/// The programs of this package find each other beside their own files, and never by `$PATH`, which others may set.
package enum NeighbourProgram {
    /// The path of a program beside this one's file, else in `/usr/bin`; `nil` where neither can be run.
    package static func path(of name: String) -> String? {
        paths(of: name).first { access($0, X_OK) == 0 }
    }

    /// Where a program is looked for.
    package static func paths(of name: String) -> [String] {
        let beside = ownDirectory.map { "\($0)/\(name)" }
        return [beside, "/usr/bin/\(name)"].compactMap(\.self)
    }

    private static var ownDirectory: String? {
        guard let path = ownFile, let slash = path.lastIndex(of: "/") else { return nil }
        return String(path[..<slash])
    }

    /// Where there is no `/proc`, the name by which the kernel was asked to run this program, without links.
    private static var ownFile: String? {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &bytes, bytes.count)
        if count > 0, count < bytes.count {
            return String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        return clinux_executed_name().flatMap { CurrentProcess.resolvedPath(String(cString: $0)) }
    }

    package typealias Variable = (name: String, value: UnsafePointer<CChar>)

    /// Turns this process into a program beside it. Comes back where that cannot be run.
    /// - Parameters:
    ///   - name: of the program.
    ///   - words: its arguments, ended by NULL, behind its name.
    ///   - environment: a variable to set again, whose value may be any bytes.
    package static func become(_ name: String, _ words: [UnsafeMutablePointer<CChar>], setting environment: Variable?) {
        guard let path = path(of: name) else { return }
        if let environment { setenv(environment.name, environment.value, 1) }
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(path)] + words + [nil]
        execv(path, &arguments)
        free(arguments[0])
    }

    /// The same with texts of this program.
    package static func become(_ name: String, texts: [String], setting environment: Variable?) {
        become(name, texts.compactMap { strdup($0) }, setting: environment)
    }
}
