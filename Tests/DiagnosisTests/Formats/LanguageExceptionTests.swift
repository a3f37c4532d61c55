import Diagnosis
import Testing

@Suite("Exceptions of compiled languages")
struct LanguageExceptionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let format: String
        let summary: String
        let own: [Bool]
        let text: String
        var testDescription: String { self.format }

        init(_ format: String, _ summary: String, own: [Bool], _ text: String) {
            (self.format, self.summary, self.own, self.text) = (format, summary, own, text)
        }
    }

    @Test("each is read behind log lines, and groups by its functions", arguments: Self.samples)
    func eachIsRead(sample: Case) throws {
        let diagnosis = recognize("listening on 8080\n" + sample.text + "\n")
        #expect(diagnosis.format == sample.format)
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == sample.summary)
        #expect(try #require(diagnosis.crash?.crashedThread).frames.map(\.isOwn) == sample.own)
        let elsewhere = sample.text.replacing("settle", with: "refund")
        #expect(diagnosis.signature != nil || sample.format == "ada-exception")
        #expect(recognize(sample.text).signature == diagnosis.signature)
        #expect(recognize(elsewhere).signature != diagnosis.signature || sample.format == "ada-exception")
        let logged = sample.text.split(separator: "\n").map { "Nov 28 08:21:40 edge-3 tilld[3144]: \($0)" }
        #expect(recognize(logged.joined(separator: "\n")).format == sample.format)
    }

    @Test("a first line alone is no crash", arguments: Self.samples)
    func firstLines(sample: Case) {
        // Nim writes nothing else in programs that were built for release, and Ada writes nothing else at all.
        guard !["nim-exception", "ada-exception"].contains(sample.format) else { return }
        let first = sample.text.split(separator: "\n").prefix(1).joined()
        #expect(recognize(first + "\nand so on\n").kind == .log)
    }

    static let samples = [
        Case(
            "zig-panic", "till: panic: index out of bounds: index 7, len 3 in settle at main.zig:12",
            own: [true, true, false],
            """
            thread 3144 panic: index out of bounds: index 7, len 3
            /srv/till/src/main.zig:12:19: 0x10349f8 in settle (till)
                return totals[id];
                              ^
            /srv/till/src/main.zig:5:15: 0x1034a30 in main (till)
            /usr/lib/zig/std/start.zig:524:37: 0x10344e5 in posixCallMainAndExit (till)
            """),
        Case(
            "nim-exception", "nim: IndexDefect: index 7 not in 0 .. 2 in settle at till.nim:12", own: [true, true],
            """
            Traceback (most recent call last)
            /srv/till/src/main.nim(20) main
            /srv/till/src/till.nim(12) settle
            Error: unhandled exception: index 7 not in 0 .. 2 [IndexDefect]
            """),
        Case(
            "d-exception",
            "d: core.exception.ArrayIndexError: index [7] is out of bounds in int till.settle(int) at till.d:12",
            own: [false, true],
            """
            core.exception.ArrayIndexError@src/till.d(12): index [7] is out of bounds
            ----------------
            ??:? _d_arraybounds_indexp [0x55d1c2a1f3b4]
            src/till.d:12 int till.settle(int) [0x55d1c2a1f910]
            """),
        Case(
            "ada-exception", "till: CONSTRAINT_ERROR: till.adb:12 index check failed at till.adb:12", own: [true],
            """
            Execution of ./bin/till terminated by unhandled exception
            raised CONSTRAINT_ERROR : till.adb:12 index check failed
            """),
        Case(
            "crystal-exception", "crystal: IndexError: Index out of bounds in settle at till.cr:12",
            own: [false, true],
            """
            Unhandled exception: Index out of bounds (IndexError)
              from /usr/share/crystal/src/indexable.cr:92:13 in 'fetch'
              from src/till.cr:12:3 in 'settle'
            """),
        Case(
            "dart-exception",
            "dart: RangeError: Invalid value: Not in inclusive range 0..2: 7 in settle at till.dart:12",
            own: [false, true],
            """
            Unhandled exception:
            RangeError (length): Invalid value: Not in inclusive range 0..2: 7
            #0      List.[] (dart:core-patch/growable_array.dart:264:36)
            #1      settle (file:///srv/till/bin/till.dart:12:18)
            """),
        Case(
            "julia-error", "julia: BoundsError: attempt to access 3-element Vector{Int64} in settle at till.jl:12",
            own: [false, true],
            """
            ERROR: LoadError: BoundsError: attempt to access 3-element Vector{Int64}
            Stacktrace:
             [1] getindex(A::Vector{Int64}, i1::Int64)
               @ Base ./essentials.jl:13
             [2] settle(id::Int64)
               @ Main /srv/till/till.jl:12
            """),
        Case(
            "kotlin-native", "till.kexe: kotlin.IllegalStateException: no rate in settle(kotlin.Int){} at main.kt:12",
            own: [false, true],
            """
            Uncaught Kotlin exception: kotlin.IllegalStateException: no rate
                at 0   till.kexe      0x2345a1       kfun:kotlin.IllegalStateException#<init>(kotlin.String?){} + 93
                at 1   till.kexe      0x234b11       kfun:#settle(kotlin.Int){} + 97 (/srv/till/src/main.kt:12:11)
            """),
    ]
}
