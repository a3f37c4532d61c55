import DurableIO
import TestSupport
import Testing

@testable import CaptureRun

/// What is written down of a run.
@Suite("The record of a run")
struct RunRecordTests {
    private func record(_ command: [String]) -> RunRecord {
        var record = RunRecord(incident: "i")
        record.program = ProgramFacts(command, tellsArguments: true, startedAt: 1)
        record.program?.pid = 7
        return record
    }

    @Test("megabytes of arguments are cut, and all else is kept", arguments: ["x", "\u{1}"])
    func arguments(character: String) {
        let record = record(["shopd"] + Array(repeating: String(repeating: character, count: 100_000), count: 20))
        let bytes = record.bytes(spare: RunRecord.spareByteCount)
        #expect(bytes.count <= RunRecord.maximumByteCount)
        let read = RunRecord(incident: "i", bytes)
        #expect(read.program?.pid == 7 && read.program?.name == "shopd" && read.program?.argumentCount == 20)
        #expect(read.program?.arguments?.first == "shopd")
        #expect(read.program?.leftOutArgumentCount ?? 0 > 0)
    }

    @Test("no wishes make a record that is too large to be read")
    func wishes() {
        var options = RunOptions()
        options.annotatedVariables = (0..<64).map { "NAME\($0)" }
        options.name = String(repeating: "\u{1}", count: 1_024)
        options.tellsArguments = true
        options.command = ["shopd"] + Array(repeating: String(repeating: "\u{1}", count: 1_000), count: 500)
        var record = record(options.command)
        let value = String(repeating: "\u{2}", count: 100_000)
        record.wishes = RunWishes(options) { _ in value }
        record.surroundings = Surroundings({ _ in value }, cgroup: nil)
        let bytes = record.bytes(spare: RunRecord.spareByteCount)
        #expect(bytes.count <= RunRecord.maximumByteCount)
        #expect(RunRecord(incident: "i", bytes).program?.pid == 7)
        #expect(RunRecord(incident: "i", bytes).wishes.annotations["service"] != nil)
    }

    @Test("a record that has become shorter leaves nothing of the longer one behind")
    func shorter() throws {
        let long = record(["shopd", "argument"]).bytes(spare: RunRecord.spareByteCount)
        let short = record(["s"]).bytes(atLeast: long.count)
        #expect(short.count == long.count)
        #expect(RunRecord(incident: "i", short) == record(["s"]))
    }

    @Test("an end that was judged is the same for the next owner", arguments: [nil, 1_400])
    func end(sinceRequest: Int64?) {
        for status in [ProgramEnd.Status.exited(code: 143), .signalled(11, dumpedCore: true)] {
            var end = ProgramEnd(
                status, endedAt: 1_790_000_000_123, uptimeMilliseconds: 5_000, millisecondsSinceRequest: sinceRequest)
            end.usage.userMilliseconds = 7
            var record = record(["shopd"])
            record.end = ToldEnd(end, Death(end, Death.Traces(), on: [.any]))
            #expect(RunRecord(incident: "i", record.bytes(spare: 0)) == record)
        }
    }

    @Test("the marks of a run: none, those of the child and of the watcher, and what an older version left")
    func marks() {
        #expect(RunMarks(RunMarks.none) == RunMarks())
        #expect(RunMarks([]) == RunMarks())
        #expect(RunMarks(Array("1".utf8)).hasStarted)
        var bytes = RunMarks.none
        bytes[0] = UInt8(ascii: "1")
        bytes.replaceSubrange(2..<18, with: RunMarks.bytes(ofRequest: 1_790_000_000_123))
        #expect(bytes.count == RunMarks.none.count)
        #expect(RunMarks(bytes).hasStarted && RunMarks(bytes).request == 1_790_000_000_123)
    }
}
