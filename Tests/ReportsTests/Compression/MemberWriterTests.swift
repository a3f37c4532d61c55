import Reports
import Testing

@Suite("The member writer")
struct MemberWriterTests {
    static let sizes = [
        0, 1, 4_095, 4_096, 4_097, 131_071, 131_072, 131_073, 262_143, 262_144, 262_145, 524_287, 524_288, 524_289,
    ]

    @Test(arguments: sizes)
    func givesBackEveryPayload(size: Int) throws {
        for payload in [SamplePayload.text(size), SamplePayload.random(size)] {
            let (sink, summary) = try makeMember(payload)
            #expect(try inflated(sink.member, .gzip) == payload)
            #expect(try inflated(sink.wire, .gzip) == payload)
            #expect(summary.payloadByteCount == UInt64(size))
        }
    }

    @Test("The size of the chunks changes nothing", arguments: [1_000, 65_536, 262_143, 262_144, 262_145, 4 << 20])
    func anyChunk(chunk: Int) throws {
        let payload = SamplePayload.mixed(3 << 20)
        let (sink, _) = try makeMember(payload, chunk: chunk)
        #expect(try inflated(sink.member, .gzip) == payload)
        #expect(try sink.member == makeMember(payload, chunk: 70_001).sink.member)
        #expect(sink.largestPiece <= 128 << 10)
    }

    @Test func theLevelFallsWhereThePolicySays() throws {
        var policy = BlockPolicy.standard
        policy.blockByteCount = 1_000
        policy.balancedByteCount = 2_000
        policy.samplePieceByteCount = 100
        policy.unsampledByteCount = 10
        for payload in [SamplePayload.text(10_500), SamplePayload.mixed(10_500), SamplePayload.random(10_500)] {
            let (sink, _) = try makeMember(payload, policy: policy)
            #expect(try inflated(sink.member, .gzip) == payload)
        }
    }

    @Test func theWireFormIsTheMemberWithoutItsHeader() throws {
        let header = try GzipMemberHeader.sample(name: "secret-name", properties: #"{"name":"secret-name"}"#)
        let (sink, summary) = try makeMember(SamplePayload.mixed(700_000), header: header)
        let form = try #require(
            WireForm(headerByteCount: header.byteCount, fileByteCount: UInt64(sink.member.count)))
        #expect(sink.wire == WireForm.prefix + sink.member[Int(form.range.lowerBound)..<Int(form.range.upperBound)])
        #expect(UInt64(sink.wire.count) == form.byteCount)
        #expect(summary.wireByteCount == form.byteCount)
        let wireHeader = try GzipMemberHeader(parsing: sink.wire)
        #expect(wireHeader.name == nil && wireHeader.properties == nil && wireHeader.record == nil)
        #expect(!sink.wire.contains(Array("secret-name".utf8)))
    }

    @Test func theStoredHeaderIsTheOneGiven() throws {
        let header = try GzipMemberHeader.sample()
        #expect(try GzipMemberHeader(parsing: makeMember([]).sink.member) == header)
    }

    @Test("What does not shrink grows by less than a thousandth", arguments: [100_000, 1 << 20, 5_000_000])
    func noiseHardlyGrows(size: Int) throws {
        let (_, summary) = try makeMember(SamplePayload.random(size))
        #expect(summary.wireByteCount < UInt64(size + size / 1_000))
    }

    @Test func textBehindNoiseStillShrinks() throws {
        let payload = SamplePayload.random(1 << 20) + SamplePayload.text(1 << 20) + SamplePayload.random(1 << 20)
        let (sink, summary) = try makeMember(payload)
        #expect(try inflated(sink.member, .gzip) == payload)
        #expect(summary.wireByteCount < UInt64(2 << 20) + (400 << 10))
    }

    @Test("The sink's error stops it", arguments: [0, 50, 200_000])
    func fullSink(capacity: Int) throws {
        do {
            _ = try makeMember(SamplePayload.random(1 << 20), capacity: capacity)
            Issue.record("no error")
        } catch CompressionFailure<RecordingMemberSink.Full>.output(let error) {
            #expect(error == RecordingMemberSink.Full())
        }
    }
}
