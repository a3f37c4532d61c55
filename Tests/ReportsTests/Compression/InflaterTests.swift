import Reports
import Testing

@Suite("Inflater")
struct InflaterTests {
    let payload = SamplePayload.mixed(400_000)

    @Test("Input and output may be cut anywhere", arguments: [(1, 4_096), (7, 1), (4_096, 3), (.max, 131_072)])
    func anyCut(chunk: Int, windowByteCount: Int) throws {
        let payload = SamplePayload.text(20_000) + SamplePayload.zeros(20_000) + SamplePayload.random(2_000)
        let member = try makeMember(payload).sink.member
        #expect(try inflated(member, .gzip, chunk: chunk, windowByteCount: windowByteCount) == payload)
    }

    @Test func aFullWindowAtTheLastInputByteLosesNothing() throws {
        for size in 250...270 {
            let zeros = SamplePayload.zeros(size * 64)
            let stream = try deflated([(.balanced, zeros)])
            for window in [64, 128, 258, 16_384] {
                #expect(try inflated(stream, .raw, windowByteCount: window) == zeros)
            }
        }
    }

    @Test func everyTruncationIsSaid() throws {
        let member = try makeMember(SamplePayload.text(3_000)).sink.member
        for count in 0..<member.count {
            #expect(zlibCode { _ = try inflated(Array(member.prefix(count)), .gzip) } == .truncated)
        }
    }

    @Test func bytesAfterTheEndAreAnError() throws {
        let member = try makeMember(payload).sink.member
        #expect(zlibCode { _ = try inflated(member + [0], .gzip) } == .trailingBytes)
        #expect(zlibCode { _ = try inflated(member + [0], .gzip, chunk: member.count) } == .trailingBytes)
        #expect(zlibCode { _ = try inflated(member + member, .gzip) } == .trailingBytes)
    }

    @Test func everyFlippedBitIsAnErrorOrHarmless() throws {
        let payload = SamplePayload.text(2_000)
        let header = try GzipMemberHeader.sample()
        let member = try makeMember(payload, header: header).sink.member
        var harmless: [Int: [Int]] = [:]
        for position in member.indices {
            for bit in 0..<8 {
                var damaged = member
                damaged[position] ^= 1 << UInt8(bit)
                let result = try? inflated(damaged, .gzip)
                if let result { #expect(result == payload) }
                if position >= header.byteCount, result != nil { harmless[position, default: []].append(bit) }
            }
        }
        // The last block takes ten bits of two bytes, and a sync flush ends at a byte: nothing stands in the bits between.
        let end = member.count - 8
        #expect(Array(member[end - 6..<end]) == [0, 0, 0xff, 0xff, 3, 0])
        #expect(harmless.removeValue(forKey: end - 1) == Array(2...7))
        let padding = harmless.removeValue(forKey: end - 7) ?? []
        #expect(padding == Array((8 - padding.count)..<8) && padding.count < 8)
        #expect(harmless.isEmpty)
    }

    @Test func whatCameBeforeTheDamageIsHandedOut() throws {
        let payload = SamplePayload.random(100_000)
        var stream = try deflated([(.stored, payload)])
        stream.replaceSubrange(65_540..<65_545, with: [0, 1, 2, 3, 4])
        var output: [UInt8] = []
        var inflater = try Inflater(.raw)
        #expect(throws: CompressionFailure<Never>.self) {
            try stream.withUnsafeBytes { bytes in try inflater.write(bytes) { output.append(contentsOf: $0) } }
        }
        #expect(!output.isEmpty && payload.starts(with: output))
    }
}

@Suite("A gzip prefix")
struct GzipPrefixTests {
    @Test func isTheBeginningOfThePayload() throws {
        let payload = SamplePayload.text(50_000)
        let member = try makeMember(payload).sink.member
        for limit in [0, 1, 4_096, 50_000, 1 << 30] {
            #expect(Inflater.gzipPrefix(member[...], limit: limit) == Array(payload.prefix(limit)))
        }
    }

    @Test func survivesEveryCut() throws {
        let payload = SamplePayload.text(2_000)
        let member = try makeMember(payload).sink.member
        for count in 2...member.count {
            let prefix = Inflater.gzipPrefix(member.prefix(count), limit: 4_096)
            #expect(prefix.map { payload.starts(with: $0) } == true)
        }
    }

    @Test func ofABombStaysWithinItsCap() throws {
        let zeros = SamplePayload.zeros(1 << 20)
        var bomb = WireForm.prefix
        var deflater = try Deflater(level: .balanced)
        for _ in 0..<128 {
            try zeros.withUnsafeBytes { bytes in try deflater.write(bytes) { bomb.append(contentsOf: $0) } }
        }
        try deflater.finish { bomb.append(contentsOf: $0) }
        #expect(bomb.count < 256 << 10)
        let prefix = try #require(Inflater.gzipPrefix(bomb[...], limit: 65_536))
        #expect(prefix.count == 65_536)
        #expect(prefix.capacity < 65_536 + 4_096)
        let whole = try #require(Inflater.gzipPrefix(bomb.prefix(64), limit: .max))
        #expect(whole.capacity <= 64 * 1_032 + 4_096)
    }

    @Test func goesOnThroughMembersAndStopsAtAnythingElse() throws {
        let member = try makeMember(Array("one".utf8)).sink.member
        let empty = try makeMember([]).sink.member
        #expect(Inflater.gzipPrefix((member + empty + member)[...], limit: 100) == Array("oneone".utf8))
        #expect(Inflater.gzipPrefix((member + member)[...], limit: 4) == Array("oneo".utf8))
        #expect(Inflater.gzipPrefix((member + SamplePayload.random(999))[...], limit: 100) == Array("one".utf8))
        #expect(Inflater.gzipPrefix((member + SamplePayload.zeros(999))[...], limit: 100) == Array("one".utf8))
        #expect(Inflater.gzipPrefix((member + [0x1f, 0x8b])[...], limit: 100) == Array("one".utf8))
    }

    @Test func isNothingForWhatIsNotGzip() {
        #expect(Inflater.gzipPrefix([], limit: 10) == nil)
        #expect(Inflater.gzipPrefix([0x1f], limit: 10) == nil)
        #expect(Inflater.gzipPrefix(SamplePayload.text(100)[...], limit: 10) == nil)
        #expect(Inflater.gzipPrefix([0x1f, 0x8b, 9, 0, 0, 0, 0, 0, 0, 0], limit: 10) == nil)
        #expect(Inflater.gzipPrefix((WireForm.prefix + [0xff, 0xff, 0xff])[...], limit: 10) == nil)
        #expect(Inflater.gzipPrefix(WireForm.prefix[...], limit: 10) == [])
    }

    @Test func readsASliceWhereItLies() throws {
        let member = try makeMember(Array("slice".utf8)).sink.member
        let bytes = [9, 9, 9] + member + [9]
        #expect(Inflater.gzipPrefix(bytes[3..<(3 + member.count)], limit: 10) == Array("slice".utf8))
    }

    @Test func neverCrashesOnNoise() {
        for seed in 0..<500 {
            let noise = WireForm.prefix.prefix(3) + SamplePayload.random(seed, seed: UInt64(seed))
            #expect((Inflater.gzipPrefix(noise[...], limit: 1_000) ?? []).count <= 1_000)
        }
    }
}
