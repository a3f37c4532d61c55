/// A file of another compression than gzip: in practice a core dump kept by systemd, whose name tells of which process.
///
/// The file is not opened. Its first bytes tell the compression, whatever its name says, since what systemd uses depends
/// on how it was built.
enum CompressedCoreFormat: BinaryFormat {
    private struct Compression {
        let format: String
        let contentType: String
    }

    private static let zstd = Compression(format: "zstd", contentType: "application/zstd")
    private static let lz4 = Compression(format: "lz4", contentType: "application/x-lz4")
    private static let xz = Compression(format: "xz", contentType: "application/x-xz")
    private static let lzma = Compression(format: "lzma", contentType: "application/x-lzma")
    private static let bzip2 = Compression(format: "bzip2", contentType: "application/x-bzip2")

    static func read(_ window: PayloadWindow) -> Diagnosis? {
        guard let compression = self.compression(of: window) else { return nil }
        guard let process = window.name.systemdCoreProcess else {
            return Diagnosis(
                format: compression.format, contentType: compression.contentType, kind: .other, isAssumed: true,
                summary: compression.format)
        }
        var crash = Crash(
            program: process.command, process: Int64(process.identifier), cause: Crash.Cause(type: "core dump"))
        crash.system.name = "Linux"
        crash.occurredAt = process.crashedAt
        return Diagnosis(
            format: compression.format, contentType: compression.contentType, kind: .crash,
            summary: "\(crash.summary()) (\(compression.format))", crash: crash)
    }

    private static func compression(of window: PayloadWindow) -> Compression? {
        let head = self.withoutSkippableFrames(window)
        // Frames that hold no data begin a file of zstd in pieces; where they fill the window, it is still one.
        guard !head.isEmpty else { return window.head.isEmpty ? nil : self.zstd }
        if head.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) { return self.zstd }
        // The second one is lz4's old form.
        if head.starts(with: [0x04, 0x22, 0x4d, 0x18]) || head.starts(with: [0x02, 0x21, 0x4c, 0x18]) {
            return self.lz4
        }
        guard head.startIndex == window.head.startIndex else { return nil }
        if head.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) { return self.xz }
        if self.isBzip2(head) { return self.bzip2 }
        return self.isLZMA(window) ? self.lzma : nil
    }

    /// What follows the skippable frames at the beginning, which zstd and lz4 have in common: a magic number of 16, the
    /// length, and bytes for somebody else. Empty where the window ends within one.
    private static func withoutSkippableFrames(_ window: PayloadWindow) -> ArraySlice<UInt8> {
        let reader = ByteReader(window.head)
        var offset = 0
        while let magic = reader.integer(UInt32.self, at: offset), magic & 0xffff_fff0 == 0x184d_2a50,
            let length = reader.integer(UInt32.self, at: offset + 4)
        {
            offset += 8 + Int(length)
        }
        return window.head.dropFirst(offset)
    }

    /// Whether it is a block of data, or the end of an empty file, that follows the size of blocks. Text may begin with
    /// `BZh` as well.
    private static func isBzip2(_ head: ArraySlice<UInt8>) -> Bool {
        guard let rest = head.dropping("BZh"), let size = rest.first, size.isDigit, size != UInt8(ascii: "0") else {
            return false
        }
        return rest.dropFirst().starts(with: [0x31, 0x41, 0x59, 0x26, 0x53, 0x59])
            || rest.dropFirst().starts(with: [0x17, 0x72, 0x45, 0x38, 0x50, 0x90])
    }

    /// Whether it begins as the files of LZMA do that have no magic number: the usual properties, a dictionary as large
    /// as a power of two or one and a half times that, and a size that is either not known or below 256 GiB.
    private static func isLZMA(_ window: PayloadWindow) -> Bool {
        let reader = ByteReader(window)
        guard window.head.first == 0x5d, let dictionary = reader.integer(UInt32.self, at: 1),
            let size = reader.integer(UInt64.self, at: 5), window.byteCount > 18, dictionary >= 4_096
        else { return false }
        // The first byte of the data is always 0.
        let isUsual = dictionary.nonzeroBitCount == 1 || (dictionary.nonzeroBitCount == 2 && dictionary % 3 == 0)
        return isUsual && (size == .max || size < 1 << 38) && window.head.dropFirst(13).first == 0
    }
}
