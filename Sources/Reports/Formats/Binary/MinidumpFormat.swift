/// A minidump of Breakpad, Crashpad or Windows: a directory of streams, two of which tell what happened where.
enum MinidumpFormat {
    private struct Stream {
        let type: UInt32
        let offset: Int
    }

    static func recognize(_ head: PayloadHead) -> Recognition? {
        guard head.hasPrefix("MDMP") else { return nil }
        let reader = ByteReader(bytes: head.bytes)
        let streams = self.streams(in: reader)
        let platform = streams.first { $0.type == 7 }.flatMap { reader.integer(UInt32.self, at: $0.offset + 20) }
        let exception = streams.first { $0.type == 6 }
        let summary = SummaryLine.join(
            reader.integer(UInt32.self, at: 20).map { "time \($0)" },
            reader.integer(UInt32.self, at: 8).map { "\($0) streams" },
            exception.flatMap { self.describe(exceptionAt: $0.offset, in: reader, platform: platform) },
            platform.map(self.name(ofPlatform:)),
            separator: ", ")
        return Recognition(
            format: "minidump", contentType: "application/x-dmp", kind: .crash, summary: summary.nonEmpty ?? "minidump")
    }

    /// The streams in the window, whatever number the header claims.
    private static func streams(in reader: ByteReader) -> [Stream] {
        guard let count = reader.integer(UInt32.self, at: 8), let directory = reader.offset(UInt32.self, at: 12) else {
            return []
        }
        var streams: [Stream] = []
        for index in 0..<min(Int(count), reader.bytes.count / 12) {
            let entry = directory + index * 12
            guard let type = reader.integer(UInt32.self, at: entry) else { break }
            guard let offset = reader.offset(UInt32.self, at: entry + 8) else { continue }
            streams.append(Stream(type: type, offset: offset))
        }
        return streams
    }

    private static func describe(exceptionAt offset: Int, in reader: ByteReader, platform: UInt32?) -> String? {
        guard let thread = reader.integer(UInt32.self, at: offset),
            let code = reader.integer(UInt32.self, at: offset + 8),
            let address = reader.integer(UInt64.self, at: offset + 24)
        else { return nil }
        let hasSignals = platform == 0x8201 || platform == 0x8203
        let name = hasSignals && code < 32 ? SignalName.linux(Int(code)) : "exception 0x\(String(code, radix: 16))"
        return "\(name) at 0x\(String(address, radix: 16)) thread \(thread)"
    }

    private static func name(ofPlatform platform: UInt32) -> String {
        switch platform {
        case 1: "Windows"
        case 2: "Windows NT"
        case 0x8101: "macOS"
        case 0x8102: "iOS"
        case 0x8201: "Linux"
        case 0x8202: "Solaris"
        case 0x8203: "Android"
        default: "platform 0x\(String(platform, radix: 16))"
        }
    }
}
