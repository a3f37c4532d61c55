import Reports
import Testing

@Suite("Text before and behind a stored member")
struct SplicedMemberTests {
    @Test(
        "one member inflates to the text and the payload, whatever the sizes",
        arguments: [0, 1, 100, 16_384, 300_000], [0, 1, 4_096, 131_073, 524_289])
    func spliced(textByteCount: Int, payloadByteCount: Int) throws {
        let text = SamplePayload.text(textByteCount)
        for payload in [SamplePayload.text(payloadByteCount), SamplePayload.random(payloadByteCount)] {
            let stored = try makeMember(payload).sink.wire
            let member = try SplicedMember(
                text, before: stored.suffix(WireForm.trailerByteCount), payloadByteCount: UInt64(payload.count))
            let stream = stored.dropFirst(WireForm.prefix.count).dropLast(WireForm.trailerByteCount)
            // The inflater checks the trailer, and refuses a second member.
            #expect(try inflated(member.beginning + stream + member.trailer, .gzip) == text + payload)
        }
    }

    @Test("a payload beyond 4 GiB counts with all of its size in the checksum")
    func large() throws {
        let zeros = try SplicedMember([1], before: [0, 0, 0, 0, 5, 0, 0, 0], payloadByteCount: 5)
        let many = try SplicedMember([1], before: [0, 0, 0, 0, 5, 0, 0, 0], payloadByteCount: 1 << 32 + 5)
        #expect(zeros.trailer.suffix(4) == [6, 0, 0, 0])
        #expect(many.trailer.suffix(4) == [6, 0, 0, 0])
        #expect(zeros.trailer.prefix(4) != many.trailer.prefix(4))
    }

    @Test("a stored stream ends with an empty block at a byte boundary", arguments: [0, 1, 70_000, 1 << 20])
    func flushed(byteCount: Int) throws {
        for payload in [SamplePayload.text(byteCount), SamplePayload.random(byteCount)] {
            let stored = try makeMember(payload).sink.member
            #expect(Array(stored.dropLast(WireForm.trailerByteCount).suffix(6)) == [0, 0, 0xff, 0xff, 3, 0])
        }
    }

    @Test("bytes in memory become one member", arguments: [0, 1, 5_000, 300_000])
    func whole(byteCount: Int) throws {
        let bytes = SamplePayload.mixed(byteCount)
        #expect(try inflated(WireForm.member(of: bytes), .gzip) == bytes)
    }
}
