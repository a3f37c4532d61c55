import Glibc
package import SystemPackage

/// A fact that a machine knows of itself. The raw value is its name in settings.
package enum MachineFact: String, CaseIterable, Hashable, Sendable {
    /// The name of the host.
    case host
    /// The name of the operating system with its version, for people.
    case os
    /// The release of the kernel.
    case kernel
    /// A name of the machine that tells nobody the machine's id.
    case machineID = "machine_id"
}

/// Finds out what a machine knows of itself.
///
/// Each fact is a text of 1 KiB at most, without control characters. A fact that the machine does not have is `nil`.
package struct MachineFacts: Sendable {
    /// The files that hold the facts. Of several files for one fact the first that holds it counts.
    package struct Places: Hashable, Sendable {
        package var systemReleases: [FilePath] = ["/etc/os-release", "/usr/lib/os-release"]
        package var machineIDs: [FilePath] = ["/etc/machine-id", "/var/lib/dbus/machine-id"]

        package init() {}
    }

    private let places: Places
    private let files: any FileSystem

    package init(_ places: Places = Places(), files: any FileSystem = POSIXFileSystem()) {
        self.places = places
        self.files = files
    }

    /// The name of the host as the kernel has it.
    package var host: String? {
        kernelNames.flatMap { names in withUnsafeBytes(of: names.nodename) { Self.fact($0.prefix { $0 != 0 }) } }
    }

    /// The release of the kernel, as `uname -r` prints it.
    package var kernel: String? {
        kernelNames.flatMap { names in withUnsafeBytes(of: names.release) { Self.fact($0.prefix { $0 != 0 }) } }
    }

    private var kernelNames: utsname? {
        var names = utsname()
        return uname(&names) == 0 ? names : nil
    }

    /// `PRETTY_NAME` of os-release(5). The first of the files that exists counts, whatever is in it.
    package var system: String? {
        places.systemReleases.lazy.compactMap { contents(of: $0) }.first.flatMap { OSRelease.prettyName(in: $0) }
            .flatMap { Self.fact($0) }
    }

    /// Whether the machine has an id: none has an image before its first start, where the file is empty or says
    /// `uninitialized`.
    package var hasIdentifier: Bool { machineID != nil }

    /// The 16 bytes of the machine's id, which is confidential (machine-id(5)): it must not be sent to others.
    package var machineID: [UInt8]? {
        places.machineIDs.lazy.compactMap { path in
            guard let text = contents(of: path)?.prefix(while: { $0 != 0x0a }), text.count == 32,
                let id = [UInt8](hexDigits: text), id.contains(where: { $0 != 0 })
            else { return nil }
            return id
        }.first
    }

    /// Of a regular file, the first 64 KiB. Other files are none: a device would never end.
    private func contents(of path: FilePath) -> [UInt8]? {
        guard let file = try? files.openFile(path), (try? files.metadata(of: file).kind) == .regular else { return nil }
        return try? files.read(file, limit: Self.maximumFileByteCount)
    }

    private static let maximumFileByteCount = 64 << 10
    private static let maximumByteCount = 1 << 10

    /// Makes a fact fit to be sent along and listed; `nil` if nothing is left.
    private static func fact(_ bytes: some Sequence<UInt8>) -> String? {
        var scalars = Printable.text(Array(bytes)).unicodeScalars
        while scalars.last?.properties.isWhitespace == true { scalars.removeLast() }
        while String(scalars).utf8.count > maximumByteCount { scalars.removeLast() }
        return scalars.isEmpty ? nil : String(scalars)
    }
}

/// The file format of os-release(5): lines `NAME=VALUE` whose values are quoted as in a shell.
private enum OSRelease {
    /// The value of `PRETTY_NAME`; of several the last counts, as in a shell.
    static func prettyName(in bytes: [UInt8]) -> [UInt8]? {
        let name = Array("PRETTY_NAME=".utf8)
        return bytes.split(separator: 0x0a).last { $0.starts(with: name) }.map { unquoted($0.dropFirst(name.count)) }
    }

    /// Takes quotation marks away, and the backslashes before characters that they protect.
    private static func unquoted(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var value: [UInt8] = []
        var quote: UInt8?
        var isEscaped = false
        for byte in text {
            if isEscaped {
                value.append(byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "'") {
                isEscaped = true
            } else if byte == quote {
                quote = nil
            } else if quote == nil, byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else {
                value.append(byte)
            }
        }
        return value
    }
}
