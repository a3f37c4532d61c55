/// A gzip member: described by what is inside, sent as it is.
enum GzipFormat {
    /// What is said of gzip within gzip, which is not opened: each layer could be a thousand times larger than the
    /// last.
    static let unopened = Recognition(
        format: "gzip", contentType: "application/gzip", kind: .other, from: .default, summary: "gzip")

    static func matches(_ head: PayloadHead) -> Bool {
        head.bytes.starts(with: [0x1f, 0x8b])
    }

    static func recognize(
        _ head: PayloadHead, limit: Int, inflate: (ArraySlice<UInt8>, Int) -> [UInt8]?,
        content: (PayloadHead) -> Recognition
    ) -> Recognition {
        var recognition = Self.unopened
        guard let inflated = inflate(head.bytes[...], limit) else {
            recognition.summary = "gzip, damaged"
            return recognition
        }
        let inside = content(
            head.replacing(
                bytes: Array(inflated.prefix(limit)), isWhole: head.isWhole && inflated.count < limit,
                name: head.name.withoutGzipSuffix))
        return Recognition(
            format: recognition.format, contentType: recognition.contentType, kind: inside.kind,
            from: inside.kindSource,
            summary: "gzip of \(inside.format): \(inside.summary)")
    }
}

/// A Zstandard frame, in practice a core dump kept by systemd, whose name tells of which process.
enum ZstandardFormat {
    static func recognize(_ head: PayloadHead) -> Recognition? {
        guard head.bytes.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) else { return nil }
        let process = head.name.systemdCoreProcess
        return Recognition(
            format: "zstd", contentType: "application/zstd", kind: process == nil ? .other : .crash,
            from: process == nil ? .default : .recognised,
            summary: process.map { "zstd, core of \($0)" } ?? "zstd")
    }
}

/// A report of PLCrashReporter, which is a protocol buffer behind a short header.
enum PLCrashFormat {
    static func recognize(_ head: PayloadHead) -> Recognition? {
        guard head.hasPrefix("plcrash"), head.bytes.count > 7 else { return nil }
        return Recognition(
            format: "plcrash", contentType: ContentType.bytes, kind: .crash,
            summary: "PLCrashReporter report, version \(head.bytes[7])")
    }
}
