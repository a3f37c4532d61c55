import Diagnosis
import TestSupport
import Testing

@testable import Reports

@Suite("the limits of Sentry")
struct SentryLimitTests {
    private static let long = String(repeating: "ab ", count: 20_000)

    @Test("texts are cut where Sentry would cut them, and say so")
    func texts() {
        var crash = Crash(cause: Crash.Cause(type: Self.long, message: Self.long))
        crash.program = Self.long
        var frame = Crash.Frame(function: Self.long, file: Self.long, module: Self.long, isOwn: true)
        frame.symbol = Self.long
        frame.sourceLine = Self.long
        crash.threads = [Crash.Thread(name: Self.long, isCrashed: true, frames: [frame])]
        let event = SentryEvent(of: crash)
        #expect(SentryEventShape.faults(in: event) == [])
        #expect(event.exception?["value"]?.stringValue?.unicodeScalars.count == 8_192)
        #expect(event.exception?["value"]?.stringValue?.hasSuffix("…") == true)
        #expect(event.exception?["type"]?.stringValue?.unicodeScalars.count == 256)
        #expect(event.frames[0]["function"]?.stringValue?.unicodeScalars.count == 512)
    }

    @Test("control characters are left out, and names have one line")
    func controls() {
        let hostile = "a\u{1b}[31m\u{0}b\r\nc\u{9b}d\u{7f}\u{2028}e"
        var crash = Crash(program: hostile, cause: Crash.Cause(type: hostile, message: hostile, signal: hostile))
        crash.system = Crash.System(name: hostile, version: hostile, architecture: hostile)
        crash.runtime = Crash.Runtime(name: hostile, version: hostile)
        crash.images = [Crash.Image(path: hostile, buildID: hostile, baseAddress: 0, endAddress: .max)]
        let frame = Crash.Frame(function: hostile, file: hostile, module: hostile, address: .max, isOwn: true)
        crash.threads = [Crash.Thread(name: hostile, number: -1, isCrashed: true, frames: [frame])]
        crash.threads[0].registers = [Crash.Register(name: hostile, value: .max)]
        let event = SentryEvent(of: crash)
        #expect(SentryEventShape.faults(in: event) == [])
        #expect(event.exception?["type"]?.stringValue == "a[31mb cd e")
        #expect(event.exception?["value"]?.stringValue?.contains("\n") == true)
        #expect(event.json["debug_meta"] == nil)
    }

    @Test("of a longer stack both ends are kept, and one frame says how many are missing")
    func frames() {
        var crash = Crash(cause: Crash.Cause(type: "SIGSEGV"))
        crash.threads = [
            Crash.Thread(
                isCrashed: true, frames: (0..<256).map { Crash.Frame(function: "f\($0)", isOwn: true) })
        ]
        let event = SentryEvent(of: crash)
        #expect(event.frames.count == 250)
        let functions = event.frames.compactMap { $0["function"]?.stringValue }
        let expected = (132..<256).reversed().map { "f\($0)" } + ["<7 frames omitted>"]
        #expect(functions == expected + (0..<125).reversed().map { "f\($0)" })
        crash.threads[0].frames.removeLast(6)
        #expect(SentryEvent(of: crash).frames.allSatisfy { $0["function"]?.stringValue?.hasPrefix("f") == true })
    }

    @Test("of a stack that was cut before, one frame says how many are missing in all, however few are sent")
    func framesOfCutStack() throws {
        let frames = (0..<10_000).map { #"{"kind": "returnAddress", "description": "f\#($0)", "image": "till"}"# }
        let event = SentryEvent(
            of: """
                { "timestamp": "2026-11-22T10:43:23.038846Z", "kind": "crashReport", "description": "Aborted",
                  "threads": [ { "name": "till", "crashed": true, "frames": [\(frames.joined(separator: ","))] } ],
                  "images": [ { "name": "till", "path": "/srv/till", "buildId": "08d4" } ] }

                """)
        let functions = event.frames.compactMap { $0["function"]?.stringValue }
        let expected = (9_968..<10_000).reversed().map { "f\($0)" } + ["<9751 frames omitted>"]
        #expect(functions == expected + (0..<217).reversed().map { "f\($0)" })
        #expect(event.frames[32]["in_app"] == .bool(false))
    }

    @Test("a stack that is sent in part names the frames that are there, and counts the others")
    func framesInLessDetail() throws {
        var crash = Crash(cause: Crash.Cause(type: "SIGSEGV"))
        var frames = Self.stack(256, Self.part)
        frames[223] = Crash.Frame(function: "<9745 frames omitted>", isOwn: false)
        frames[223].omittedCount = 9_745
        crash.threads = [Crash.Thread(isCrashed: true, frames: frames)]
        let event = SentryEvent(of: crash)
        let functions = event.frames.compactMap { $0["function"]?.stringValue }
        let marks = functions.filter { $0.hasSuffix(" frames omitted>") }
        #expect(functions.count < 200)
        #expect(marks == ["<\(10_000 - (functions.count - 1)) frames omitted>"])
    }

    @Test("a stack without names is grouped by its program, however long it is")
    func namelessStack() {
        var frames = (0..<256).map { Crash.Frame(address: UInt64($0), isOwn: true) }
        frames[223] = Crash.Frame(function: "<9745 frames omitted>", isOwn: false)
        frames[223].omittedCount = 9_745
        var crash = Crash(program: "till", cause: Crash.Cause(type: "SIGSEGV"))
        crash.threads = [Crash.Thread(isCrashed: true, frames: frames)]
        let fingerprint = SentryEvent(of: crash).json["fingerprint"]?.arrayValue
        #expect(fingerprint?.map(\.stringValue) == ["gdb", "till", "SIGSEGV"])
    }

    @Test("lines and columns count from one, and addresses do not wrap around")
    func numbers() {
        var frame = Crash.Frame(function: "f", file: "a.c", line: 0, column: -1, address: 0, isOwn: true)
        frame.isReturnAddress = true
        var far = Crash.Frame(function: "g", file: "a.c", line: .max, module: "/a", moduleOffset: .max, isOwn: true)
        far.symbolAddress = .max
        var crash = Crash(cause: Crash.Cause(type: "SIGSEGV"))
        crash.threads = [Crash.Thread(isCrashed: true, frames: [far, frame])]
        crash.images = [Crash.Image(path: "/a", buildID: "00ff", baseAddress: 16, endAddress: 8)]
        let event = SentryEvent(of: crash)
        #expect(SentryEventShape.faults(in: event) == [])
        #expect(event.frames[0]["lineno"] == nil && event.frames[0]["colno"] == nil)
        #expect(event.frames[0]["instruction_addr"]?.stringValue == "0x0")
        #expect(event.frames[1]["lineno"] == nil)
        #expect(event.frames[1]["instruction_addr"] == nil)
        #expect(event.json["debug_meta"]?["images"]?[0]?["image_size"] == nil)
    }

    // MARK: - The size of an event

    private static func stack(_ count: Int, _ text: String) -> [Crash.Frame] {
        (0..<count).map { Crash.Frame(function: "f\($0)" + text, file: "/src/" + text, module: text, isOwn: true) }
    }

    private static let part = String(repeating: "\\", count: 400)

    @Test("the stacks of other threads are left out where they do not fit; the first ones stay")
    func otherStacks() throws {
        var crash = Crash(cause: Crash.Cause(type: "SIGSEGV"))
        crash.threads = (0..<400).map {
            Crash.Thread(number: $0, isCrashed: $0 == 3, frames: Self.stack(20, "worker"))
        }
        let event = SentryEvent(of: crash)
        #expect(SentryEventShape.faults(in: event) == [])
        let threads = try #require(event.json["threads"]?["values"]?.arrayValue)
        #expect(threads.count == 400)
        let count = threads.count { $0["stacktrace"] != nil }
        #expect((20..<200).contains(count))
        #expect(threads[..<3].allSatisfy { $0["stacktrace"] != nil })
        #expect(threads[3]["stacktrace"] == nil)
        #expect(event.frames.count == 20)
        // What is left out would not have fitted.
        #expect(event.json.utf8Bytes.count > 240 << 10)
    }

    @Test("then the threads, then the middle of the stack are left out")
    func threadsThenFrames() {
        var crash = Crash(cause: Crash.Cause(type: "SIGSEGV"))
        crash.threads = (0..<512).map {
            Crash.Thread(
                name: Self.part, number: $0, isCrashed: $0 == 0, frames: $0 == 0 ? Self.stack(40, Self.part) : [])
        }
        var event = SentryEvent(of: crash)
        #expect(SentryEventShape.faults(in: event) == [])
        #expect(event.json["threads"] == nil)
        #expect(event.exception?["thread_id"] == nil)
        #expect(event.frames.count == 40)

        crash.threads[0].frames = Self.stack(256, Self.part)
        event = SentryEvent(of: crash)
        #expect(SentryEventShape.faults(in: event) == [])
        #expect((32..<125).contains(event.frames.count))
        #expect(event.frames.last?["function"]?.stringValue?.hasPrefix("f0") == true)
    }

    @Test("the worst that a crash can hold fits", arguments: ["\\", "\u{202e}", "\u{10ffff}", "x"])
    func worst(character: String) {
        let text = String(repeating: character, count: 1_024 / character.utf8.count)
        let message = String(repeating: text, count: 8)
        var crash = Crash(program: text, cause: Crash.Cause(type: text, message: message, signal: text, code: text))
        crash.threads = (0..<16).map {
            Crash.Thread(name: text, number: $0, isCrashed: $0 == 0, frames: Self.stack(250, text))
        }
        crash.threads[0].registers = (0..<64).map { Crash.Register(name: "r\($0)", value: .max) }
        var cause = crash.cause
        cause.frames = Self.stack(250, text)
        crash.earlierCauses = Array(repeating: cause, count: 16)
        crash.images = (0..<2_048).map {
            Crash.Image(
                path: "\($0)" + text, buildID: String(repeating: "0f", count: 64), baseAddress: UInt64($0) << 20,
                endAddress: UInt64($0 + 1) << 20)
        }
        let annotations = Dictionary(
            uniqueKeysWithValues: (0..<64).map { ("key\($0)", text) })
        let event = SentryEvent(of: crash, annotations: annotations)
        #expect(SentryEventShape.faults(in: event) == [])
        #expect(event.exception != nil)
        #expect(event.json["extra"]?.objectValue?.members.count == 64)
    }
}
