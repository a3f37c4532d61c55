import Diagnosis
import Testing

@Suite("stacks that are longer than what a crash keeps")
struct LongStackTests {
    private func swift(_ frames: [String]) -> Crash? {
        let text = """
            { "timestamp": "2026-11-22T10:43:23.038846Z", "kind": "crashReport", "description": "Aborted",
              "threads": [ { "name": "till", "crashed": true, "frames": [\(frames.joined(separator: ","))] } ],
              "images": [ { "name": "till", "path": "/srv/till", "buildId": "08d4" } ] }

            """
        return recognize(text).crash
    }

    private func call(_ number: Int) -> String {
        #"{"kind": "returnAddress", "description": "f\#(number)", "image": "till"}"#
    }

    private func functions(_ crash: Crash?) -> [String?] { crash?.crashedThread?.frames.map(\.function) ?? [] }

    /// Both ends of so many calls, with one frame between them.
    private func ends(of count: Int, mark: String) -> [String?] {
        (0..<223).map { "f\($0)" } + [mark] + (count - 32..<count).map { "f\($0)" }
    }

    @Test("one frame, which is nobody's code, says how many calls are missing", arguments: [257, 10_000])
    func document(count: Int) throws {
        let crash = try #require(self.swift((0..<count).map(self.call)))
        let frames = try #require(crash.crashedThread?.frames)
        #expect(self.functions(crash) == self.ends(of: count, mark: "<\(count - 255) frames omitted>"))
        #expect(frames[223].omittedCount == count - 255)
        #expect(!frames[223].isOwn)
        #expect(frames.count { $0.omittedCount != nil } == 1)
        #expect(frames.reduce(0) { $0 + $1.callCount } == count)
    }

    @Test("a stack that is just short enough is whole")
    func whole() {
        #expect(self.functions(self.swift((0..<256).map(self.call))) == (0..<256).map { "f\($0)" })
    }

    @Test("calls that the backtracer left out count among those that are missing")
    func omittedBefore() {
        var frames = (0..<400).map(self.call)
        frames[300] = #"{"kind": "omittedFrames", "count": 7000}"#
        #expect(self.functions(self.swift(frames)) == self.ends(of: 400, mark: "<7144 frames omitted>"))
        frames[300] = #"{"kind": "omittedFrames", "count": 9223372036854775807}"#
        frames[301] = frames[300]
        #expect(self.functions(self.swift(frames)) == self.ends(of: 400, mark: "<2147483647 frames omitted>"))
        frames[300] = #"{"kind": "omittedFrames", "count": -9223372036854775808}"#
        frames[301] = frames[300]
        #expect(self.functions(self.swift(frames)) == self.ends(of: 400, mark: "<143 frames omitted>"))
    }

    @Test("the stack of a text has the mark, too")
    func text() {
        let lines = (0..<300).map { "#\($0)\($0 < 10 ? " " : "") 0x000055d1c2a1f3b4 in f\($0) () at src/main.cc:1" }
        let crash = recognize(
            "Program terminated with signal SIGSEGV, Segmentation fault.\n" + lines.joined(separator: "\n")
        ).crash
        #expect(self.functions(crash) == self.ends(of: 300, mark: "<45 frames omitted>"))
    }

    @Test("the text of a stack numbers the calls as if none were missing, and counts those that do not fit")
    func stackText() throws {
        let thread = try #require(self.swift((0..<10_000).map(self.call))?.crashedThread)
        let lines = thread.stackText(upTo: 1 << 20).split(separator: "\n")
        #expect(lines.count == 256)
        #expect(lines[222...224] == ["#222 f222 in till", "<9745 frames omitted>", "#9968 f9968 in till"])
        #expect(lines.last == "#9999 f9999 in till")
        let short = thread.stackText(upTo: 1_000).split(separator: "\n")
        #expect(short.last == "… \(10_000 - (short.count - 1)) more")
    }

    @Test("a stack without names has no place, and no signature, in calls that are missing")
    func nameless() throws {
        let frame = #"{"kind": "returnAddress", "address": "0x10"}"#
        let crash = try #require(self.swift(Array(repeating: frame, count: 300)))
        #expect(crash.crashedThread?.frames.contains { $0.omittedCount == 45 } == true)
        #expect(crash.place == nil)
        #expect(crash.summary() == "till: SIGABRT: Aborted")
        #expect(Signature(of: crash, family: "swift") == nil)
    }

    @Test("both ends of a long stack of MetricKit are told, whichever lies at the root")
    func metricKit() throws {
        let count = 600
        let frames = (0..<count).map { #"{"binaryName":"f\#($0)","address":1,"sampleCount":1"# }
        let stack = frames.joined(separator: #","subFrames":["#) + String(repeating: "}]", count: count - 1) + "}"
        for isPerThread in [true, false] {
            let tree = #"{"callStackPerThread":\#(isPerThread),"callStacks":[{"callStackRootFrames":[\#(stack)]}]}"#
            let crash = recognize(#"{"timeStampBegin":"a","crashDiagnostics":[{"callStackTree":\#(tree)}]}"#).crash
            let modules = try #require(crash?.crashedThread?.frames.map(\.module))
            let numbers = isPerThread ? Array(0..<count) : Array((0..<count).reversed())
            let expected = numbers.prefix(223).map { "f\($0)" } + [nil] + numbers.suffix(32).map { "f\($0)" }
            #expect(modules == expected)
            #expect(self.functions(crash)[223] == "<345 frames omitted>")
        }
    }
}
