/// A minidump as a file: its header, the directory of its streams, and what several of them have in common.
///
/// The layout is that of Windows' `minidumpapiset.h`, and of Breakpad's `minidump_format.h` for what Breakpad and
/// Crashpad add. Streams stand in any order and anywhere.
struct MinidumpFile {
    /// A place in the file.
    struct Location {
        let offset: Int
        let byteCount: Int
    }

    /// The numbers of the streams that are read.
    enum StreamType {
        static let threads: UInt32 = 3
        static let modules: UInt32 = 4
        static let exception: UInt32 = 6
        static let system: UInt32 = 7
        static let miscellaneous: UInt32 = 15
        static let threadNames: UInt32 = 24
        static let crashpad: UInt32 = 0x4350_0001
        static let assertion: UInt32 = 0x4767_0002
        static let linuxStatus: UInt32 = 0x4767_0004
        static let linuxArguments: UInt32 = 0x4767_0006
    }

    /// The most entries of the directory that are looked at; writers need some twenty.
    private static let streamCount = 1_024

    let reader: ByteReader
    private var streams: [UInt32: Location] = [:]
    /// Whether the whole directory is in the window.
    private(set) var hasDirectory = false

    /// - Returns: `nil` unless it is a minidump.
    init?(_ window: PayloadWindow) {
        // The second is one of a processor with the most significant byte first.
        guard window.hasPrefix("MDMP") || window.hasPrefix("PMDM") else { return nil }
        self.reader = ByteReader(window, isBigEndian: window.hasPrefix("PMDM"))
        // The lower half of the version is the format's number; the upper one is the writer's own.
        if let version = self.reader.integer(UInt32.self, at: 4), version & 0xffff != 0xa793 { return nil }
        guard let count = self.reader.integer(UInt32.self, at: 8),
            let directory = self.reader.offset(UInt32.self, at: 12)
        else { return }
        for index in 0..<min(Int(count), Self.streamCount) {
            guard let type = self.reader.integer(UInt32.self, at: directory + index * 12) else { return }
            // The first one counts. What lies behind the end was cut, but it was there.
            guard self.streams[type] == nil else { continue }
            self.streams[type] = self.location(at: directory + index * 12 + 4) ?? Location(offset: 0, byteCount: 0)
        }
        self.hasDirectory = count > 0
    }

    /// When the dump was written, in milliseconds since 1970 UTC.
    var writtenAt: Int64? {
        self.reader.integer(UInt32.self, at: 20).flatMap { $0 == 0 ? nil : Int64($0) * 1_000 }
    }

    /// Where a stream is; `nil` if there is none or it was cut off.
    func stream(_ type: UInt32) -> Location? {
        self.streams[type].flatMap { $0.offset > 0 ? $0 : nil }
    }

    /// Whether the directory has a stream, wherever it is.
    func lists(_ type: UInt32) -> Bool {
        self.streams[type] != nil
    }

    /// A stored length and a stored offset, if both lie within the file. An offset of 0 says that there is nothing.
    func location(at offset: Int) -> Location? {
        guard let count = self.reader.offset(UInt32.self, at: offset),
            let start = self.reader.offset(UInt32.self, at: offset + 4), start > 0
        else { return nil }
        return Location(offset: start, byteCount: count)
    }

    /// The offsets of the entries of a stream that is a number and a list. Some writers align the list to 8 bytes.
    func entries(of type: UInt32, byteCount: Int, limit: Int) -> [Int] {
        guard let stream = self.stream(type), let stated = self.reader.integer(UInt32.self, at: stream.offset) else {
            return []
        }
        let count = min(Int(stated), limit)
        let isAligned = stream.byteCount >= 8 + Int(stated) * byteCount
        let start = stream.offset + (isAligned ? 8 : 4)
        return (0..<count).map { start + $0 * byteCount }
    }

    /// A text in UTF-16 behind its length in bytes.
    func text(at offset: Int) -> String? {
        guard let count = self.reader.offset(UInt32.self, at: offset) else { return nil }
        return self.text(at: offset + 4, unitCount: count / 2)
    }

    /// A text in UTF-16, up to its first NUL; only as many units as a name can need.
    func text(at offset: Int, unitCount: Int) -> String? {
        var bytes = self.reader.available(at: offset, limit: min(unitCount, 1_024) * 2)
        var units: [UInt16] = []
        while let first = bytes.popFirst(), let second = bytes.popFirst(), first | second != 0 {
            let (high, low) = self.reader.isBigEndian ? (first, second) : (second, first)
            units.append(UInt16(high) << 8 | UInt16(low))
        }
        return String(decoding: units, as: UTF16.self).nonEmpty
    }
}

/// What a minidump tells of the system.
struct MinidumpSystem {
    enum Platform {
        case windows
        case apple
        case linux
        case fuchsia
        case other
    }

    let platform: Platform
    /// The number of the processor's kind, which decides how registers are kept.
    let processor: UInt16
    let system: Crash.System

    init?(_ file: MinidumpFile) {
        guard let stream = file.stream(MinidumpFile.StreamType.system),
            let processor = file.reader.integer(UInt16.self, at: stream.offset),
            let platform = file.reader.integer(UInt32.self, at: stream.offset + 20)
        else { return nil }
        self.processor = processor
        let (kind, name): (Platform, String) =
            switch platform {
            case 0...3: (.windows, "Windows")
            case 0x8101: (.apple, "macOS")
            case 0x8102: (.apple, "iOS")
            case 0x8201: (.linux, "Linux")
            case 0x8203: (.linux, "Android")
            case 0x8202: (.other, "Solaris")
            case 0x8206: (.fuchsia, "Fuchsia")
            default: (.other, "platform 0x\(String(platform, radix: 16))")
            }
        self.platform = kind
        let numbers = [8, 12, 16].compactMap { file.reader.integer(UInt32.self, at: stream.offset + $0) }
        var version = numbers.contains { $0 != 0 } ? numbers.map(String.init).joined(separator: ".") : nil
        // Breakpad keeps the version of Linux in the text of `uname` only: `Linux 6.1.0-26-amd64 #1 SMP …`.
        if version == nil, let text = file.reader.offset(UInt32.self, at: stream.offset + 24).flatMap(file.text) {
            version = text.split(separator: " ").dropFirst().first.map(String.init) ?? text
        }
        self.system = Crash.System(name: name, version: version, architecture: Self.architectures[processor])
    }

    private static let architectures: [UInt16: String] = [
        0: "x86", 1: "mips", 2: "alpha", 3: "ppc", 5: "arm", 6: "ia64", 9: "x86_64", 10: "x86", 12: "arm64",
        0x8001: "sparc", 0x8002: "ppc64", 0x8003: "arm64", 0x8004: "mips64", 0x8005: "riscv32", 0x8006: "riscv64",
    ]
}
