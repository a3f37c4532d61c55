import Testing

@testable import CaptureRun

@Suite("Marks of crashes")
struct CrashMarksTests {
    private func places(_ text: String, beginsLine: Bool = true) -> [Int] {
        var places: [Int] = []
        Array(text.utf8).withUnsafeBytes { bytes in
            var start = 0
            while let mark = CrashMarks.shared.next(in: bytes, from: start, beginsLine: beginsLine) {
                places.append(mark.lowerBound)
                start = mark.upperBound
            }
        }
        return places
    }

    @Test(
        "what runtimes begin with is found in its line",
        arguments: [
            "main/main.swift:3: Fatal error: Index out of range", "thread 'main' (12) panicked at src/main.rs:2:5:",
            "panic: runtime error: index out of range [5] with length 3", "fatal error: all goroutines are asleep",
            "Traceback (most recent call last):", "  + Exception Group Traceback (most recent call last):",
            "Fatal Python error: Segmentation fault", "==123==ERROR: AddressSanitizer: heap-use-after-free",
            "WARNING: ThreadSanitizer: data race (pid=3)", "a.c:3:5: runtime error: signed integer overflow",
            "Unhandled exception. System.Exception: oops", "Exception in thread \"main\" java.lang.Error: oops",
            "terminate called after throwing an instance of 'int'", "a: a.c:3: main: Assertion `x' failed.",
            "*** Signal 11: Backtracing from 0x1... done ***", "t.rb:1: [BUG] Segmentation fault at 0x0",
            "t.rb:1:in `foo': oops (RuntimeError)", "t.rb:1:in 'foo': oops (RuntimeError)",
            "PHP Fatal error:  Uncaught Exception: oops", "free(): double free detected in tcache 2",
            "*** stack smashing detected ***: terminated", "double free or corruption (!prev)",
            "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
            "# Fatal error in , line 0", "Fatal error: exception Not_found",
        ])
    func found(line: String) {
        #expect(places(line).count >= 1)
        let first = "log\n".utf8.count
        #expect(places("log\n\(line)\nlog").first.map { (first..<first + line.utf8.count).contains($0) } == true)
    }

    @Test(
        "what only looks so is not",
        arguments: [
            "kernel panic: no", "a.c:1:10: fatal error: x.h: No such file or directory", "INFO: all is well",
            "the panic : button", "Traceback (most recent", "", "pan", "it may free(): it", "nothing terminate called",
        ])
    func notFound(line: String) {
        #expect(places(line) == [])
        #expect(places("log\n\(line)\n") == [])
    }

    @Test("marks that begin a line do not begin it where the line has begun before")
    func continued() {
        #expect(places("panic: a\npanic: b", beginsLine: true) == [0, 9])
        #expect(places("panic: a\npanic: b", beginsLine: false) == [9])
    }
}
