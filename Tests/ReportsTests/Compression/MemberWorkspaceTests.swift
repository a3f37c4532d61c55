import Reports
import Testing

/// Memory that is used again leaves nothing of one report in the next.
struct MemberWorkspaceTests {
    @Test("A member is the same whatever was compressed before it, and however that ended")
    func used() throws {
        let payload = SamplePayload.text(10_000)
        let first = try makeMember(payload)
        for capacity in [0, 60, 5_000] {
            _ = try? makeMember(SamplePayload.random(400_000) + SamplePayload.text(100_000), capacity: capacity)
            let again = try makeMember(payload)
            #expect((again.sink.member == first.sink.member) as Bool)
            #expect((again.sink.wire == first.sink.wire) as Bool)
        }
        _ = try makeMember(SamplePayload.random(400_000), policy: BlockPolicy.standard)
        let last = try makeMember(payload)
        #expect((last.sink.member == first.sink.member) as Bool)
    }

    @Test("Members that are written side by side do not meet")
    func sideBySide() throws {
        let payloads = [SamplePayload.text(50_000), SamplePayload.mixed(50_000)]
        let alone = try payloads.map { try makeMember($0).sink.member }
        var sinks = [RecordingMemberSink(), RecordingMemberSink()]
        var first = try MemberWriter(header: .sample(), to: &sinks[0])
        var second = try MemberWriter(header: .sample(), to: &sinks[1])
        for start in stride(from: 0, to: 50_000, by: 10_000) {
            try payloads[0][start..<start + 10_000].withUnsafeBytes { try first.write($0, to: &sinks[0]) }
            try payloads[1][start..<start + 10_000].withUnsafeBytes { try second.write($0, to: &sinks[1]) }
        }
        _ = try first.finish(to: &sinks[0])
        _ = try second.finish(to: &sinks[1])
        #expect((sinks.map(\.member) == alone) as Bool)
    }
}
