import Reports
import Testing

@Suite("A member's header")
struct GzipMemberHeaderTests {
    static let names: [String?] = [
        nil, "", "a", ".", "..", ".hidden", "core.1234", "a/b/../c", "Grüße.txt", "日本.log", "tab\tnewline\n", "\0",
        String(repeating: "x", count: 255), String(repeating: "ü", count: 400), "\u{85}\u{a0}\u{ff}\u{100}",
    ]

    let recordRange = GzipMemberHeader.recordOffset..<(GzipMemberHeader.recordOffset + 41)

    @Test(arguments: names)
    func parsingUndoesEncoding(name: String?) throws {
        for size in [0, 1, 255, 256, 4_096, GzipMemberHeader.maximumPropertiesByteCount] {
            let header = try GzipMemberHeader(
                name: name.map { Array($0.utf8) }, properties: SamplePayload.random(size), modificationTime: .max)
            let bytes = header.encoded()
            #expect(bytes.count == header.byteCount)
            #expect(bytes.count <= GzipMemberHeader.maximumByteCount)
            #expect(try GzipMemberHeader(parsing: bytes) == header)
            #expect(try GzipMemberHeader(parsing: bytes + SamplePayload.random(50)) == header)
        }
    }

    @Test func theRecordIsFilledInAtItsOffset() throws {
        let header = try GzipMemberHeader.sample()
        let digest = SamplePayload.random(32)
        let record = GzipMemberHeader.Record(payloadByteCount: 0x0102_0304_0506_0708, wireDigest: digest)
        var bytes = header.encoded()
        #expect(Array(bytes[12..<16]) == [0x52, 0x44, 41, 0])
        #expect(bytes[recordRange].allSatisfy { $0 == 0 })
        bytes.replaceSubrange(recordRange, with: record.encoded())
        let parsed = try GzipMemberHeader(parsing: bytes)
        #expect(parsed.record == record)
        #expect(parsed.properties == header.properties)
        #expect(parsed.encoded() == bytes)
        #expect(record.encoded().prefix(9) == [1, 8, 7, 6, 5, 4, 3, 2, 1])
    }

    @Test func theFixedPartIsAsDocumented() throws {
        let header = try GzipMemberHeader(name: [0x61], properties: [0x7b, 0x7d], modificationTime: 0x0403_0201)
        let bytes = header.encoded()
        #expect(bytes.prefix(12) == [0x1f, 0x8b, 8, 0b1100, 1, 2, 3, 4, 0, 255, 51, 0])
        #expect(bytes.suffix(8) == [0x52, 0x50, 2, 0, 0x7b, 0x7d, 0x61, 0])
        let unnamed = try GzipMemberHeader(name: nil, properties: [], modificationTime: 0).encoded()
        #expect(unnamed[3] == 0b100)
    }

    @Test func namesAreMadeSafe() {
        func safe(_ name: String) -> [UInt8]? { GzipMemberHeader.safeName(Array(name.utf8)) }
        #expect(safe("") == nil)
        #expect(safe("../etc/passwd") == Array("_._etc_passwd".utf8))
        #expect(safe(".") == [0x5f])
        #expect(safe("a\u{1b}[31m\u{7f}\u{9b}") == Array("a_[31m__".utf8))
        #expect(safe("é€") == [0xe9, 0x5f])
        #expect(safe(String(repeating: "ü", count: 400))?.count == 255)
        #expect(GzipMemberHeader.safeName([0x61, 0xff, 0x62]) == Array("a_b".utf8))
        #expect(GzipMemberHeader.safeName([0]) == [0x5f])
    }

    @Test func propertiesBeyondTheLimitAreRefused() {
        let size = GzipMemberHeader.maximumPropertiesByteCount + 1
        #expect(throws: GzipMemberHeaderError.propertiesTooLong(byteCount: size)) {
            try GzipMemberHeader(name: nil, properties: SamplePayload.zeros(size), modificationTime: 0)
        }
    }

    @Test func everyTruncationAsksForMore() throws {
        let bytes = try GzipMemberHeader.sample().encoded()
        for count in bytes.indices {
            do throws(GzipMemberHeaderError) {
                _ = try GzipMemberHeader(parsing: bytes.prefix(count))
                Issue.record("\(count) bytes were enough")
            } catch {
                guard case .truncated(let needed) = error else {
                    Issue.record("\(error)")
                    return
                }
                #expect(needed > count && needed <= bytes.count)
            }
        }
    }

    @Test func flippedBitsNeverCrash() throws {
        let record = GzipMemberHeader.Record(payloadByteCount: 77, wireDigest: SamplePayload.random(32))
        var bytes = try GzipMemberHeader.sample().encoded()
        bytes.replaceSubrange(recordRange, with: record.encoded())
        let header = try GzipMemberHeader(parsing: bytes)
        for position in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[position] ^= 1 << UInt8(bit)
                let parsed = try? GzipMemberHeader(parsing: damaged)
                // Without a meaning for us: "is probably text", how hard it was compressed, and on which system.
                let isIdle = position == 3 && bit == 0 || position == 8 || position == 9
                #expect((parsed == header) == isIdle, "bit \(bit) of byte \(position)")
            }
        }
    }

    @Test func noiseNeverCrashes() {
        for seed in 0..<2_000 {
            let noise = WireForm.prefix.prefix(3) + SamplePayload.random(seed % 300, seed: UInt64(seed))
            _ = try? GzipMemberHeader(parsing: noise)
        }
    }
}

@Suite("A foreign member's header")
struct ForeignHeaderTests {
    @Test func mayHaveEveryField() throws {
        let text = Array("name".utf8) + [0] + Array("comment".utf8) + [0]
        let extra: [UInt8] = [6, 0, 0x42, 0x43, 2, 0, 0xff, 0x7f]
        var bytes: [UInt8] = [0x1f, 0x8b, 8, 0b1_1111, 1, 0, 0, 0, 2, 3] + extra + text
        bytes += headerChecksum(of: bytes)
        let header = try GzipMemberHeader(parsing: bytes)
        #expect(header.name == Array("name".utf8))
        #expect(header.byteCount == bytes.count)
        #expect(header.properties == nil && header.record == nil)
        for count in bytes.indices {
            #expect(throws: GzipMemberHeaderError.self) { try GzipMemberHeader(parsing: bytes.prefix(count)) }
        }
        bytes[4] ^= 1
        #expect(throws: GzipMemberHeaderError.malformed("the header's checksum disagrees")) {
            try GzipMemberHeader(parsing: bytes)
        }
    }

    @Test func mayBeTheShortest() throws {
        let header = try GzipMemberHeader(parsing: WireForm.prefix)
        #expect(header.byteCount == 10 && header.name == nil && header.properties == nil && header.record == nil)
    }

    @Test(
        "A broken extra field is nobody's business",
        arguments: [[], [0x52, 0x50, 255, 255], [0x52], [0x52, 0x44, 1, 0, 1]])
    func brokenExtraField(extra: [UInt8]) throws {
        let bytes: [UInt8] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, UInt8(extra.count), 0] + extra
        let header = try GzipMemberHeader(parsing: bytes)
        #expect(header.byteCount == bytes.count && header.properties == nil && header.record == nil)
    }

    @Test func aRecordElsewhereIsNotOurs() throws {
        let record = GzipMemberHeader.Record(payloadByteCount: 1, wireDigest: SamplePayload.zeros(32)).encoded()
        let extra = [0x52, 0x50, 1, 0, 0x7b, 0x52, 0x44, 41, 0] + record
        let bytes: [UInt8] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, UInt8(extra.count), 0] + extra
        let header = try GzipMemberHeader(parsing: bytes)
        #expect(header.record == nil && header.properties == [0x7b])
    }

    @Test func otherMethodsFlagsAndFilesAreMalformed() {
        let starts: [[UInt8]] = [
            [0x1e], [0x1f, 0x8c], [0x1f, 0x8b, 7], [0x1f, 0x8b, 8, 0x20], [0x1f, 0x8b, 8, 0x80],
            Array("%PDF-1.7".utf8),
        ]
        for start in starts {
            do throws(GzipMemberHeaderError) {
                _ = try GzipMemberHeader(parsing: start)
                Issue.record("\(start)")
            } catch {
                guard case .malformed = error else {
                    Issue.record("\(start): \(error)")
                    continue
                }
            }
        }
    }

    @Test func aNameWithoutEndIsGivenUp() {
        let start: [UInt8] = [0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 255]
        #expect(throws: GzipMemberHeaderError.truncated(needed: 111)) {
            try GzipMemberHeader(parsing: start + [UInt8](repeating: 65, count: 100))
        }
        #expect(throws: GzipMemberHeaderError.malformed("a name or comment of more than 65536 bytes")) {
            try GzipMemberHeader(parsing: start + [UInt8](repeating: 65, count: 70_000))
        }
    }

    @Test func anyCollectionWillDo() throws {
        let header = try GzipMemberHeader.sample()
        #expect(try GzipMemberHeader(parsing: header.encoded().lazy.map { $0 }) == header)
        #expect(try GzipMemberHeader(parsing: ([0, 0] + header.encoded()).dropFirst(2)) == header)
    }

    /// The low half of CRC-32, bit by bit, so that it shares nothing with what it checks.
    private func headerChecksum(of bytes: [UInt8]) -> [UInt8] {
        var crc: UInt32 = .max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xedb8_8320 : crc >> 1 }
        }
        let low = UInt16(truncatingIfNeeded: ~crc)
        return [UInt8(low & 0xff), UInt8(low >> 8)]
    }
}
