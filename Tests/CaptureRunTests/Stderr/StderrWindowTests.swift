import DurableIO
import Glibc
import TestSupport
import Testing

@testable import CaptureRun

@Suite("What is kept of standard error")
struct StderrWindowTests {
    private func window(kept: Int, _ parts: [[UInt8]]) -> StderrExcerpt {
        let window = StderrWindow(keptByteCount: kept, file: nil)
        for part in parts { part.withUnsafeBytes { window.add($0) } }
        return window.excerpt
    }

    @Test("the end is kept, whatever pieces it comes in")
    func tail() {
        var generator = SeededGenerator(seed: 21)
        for kept in [0, 1, 1_000, 64 << 10] {
            var all: [UInt8] = []
            var parts: [[UInt8]] = []
            for _ in 0..<60 {
                let part = (0..<Int.random(in: 0...20_000, using: &generator)).map { UInt8($0 & 0x3f) + 0x40 }
                parts.append(part)
                all += part
            }
            let excerpt = window(kept: kept, parts)
            #expect(excerpt.byteCount == UInt64(all.count))
            #expect(excerpt.tail == Array(all.suffix(kept)))
            #expect(excerpt.head.isEmpty && excerpt.headOffset == nil)
        }
    }

    @Test("a piece that is larger than the window goes in whole")
    func large() {
        let all = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) | 0x80 }
        let excerpt = window(kept: 1_000, [all])
        #expect(excerpt.byteCount == 1_000_000 && excerpt.tail == Array(all.suffix(1_000)))
    }

    @Test("the head begins with the line of the mark, wherever the pieces are cut")
    func everyCut() {
        let text = Array("log\nmain.swift:3: Fatal error: oops\nmore\n".utf8)
        for cut in 0...text.count {
            for second in cut...text.count {
                let parts = [Array(text[..<cut]), Array(text[cut..<second]), Array(text[second...])]
                let excerpt = window(kept: 8, parts)
                #expect(excerpt.headOffset == 4 && excerpt.head == Array(text[4...]), "\(cut), \(second)")
            }
        }
        #expect(window(kept: 8, text.map { [$0] }).head == Array(text[4...]))
    }

    @Test("what follows the mark is kept up to 16 KiB, however much comes behind it")
    func goroutines() {
        let title = Array("panic: oops\n\ngoroutine 1 [running]:\n".utf8)
        let rest = (0..<60_000).flatMap { Array("goroutine \($0) [select]: in the middle of nothing\n".utf8) }
        let excerpt = window(kept: 100, [Array("log\n".utf8), title, rest])
        #expect(excerpt.head.count == 16 << 10 && excerpt.head == Array((title + rest).prefix(16 << 10)))
        #expect(excerpt.headOffset == 4 && excerpt.tail == Array(rest.suffix(100)))
    }

    @Test("a mark long after the one before begins a new head, one soon after it does not")
    func groups() {
        let handled = Array("Traceback (most recent call last):\nhandled\n".utf8)
        let noise = [UInt8](repeating: 0x2e, count: 20_000) + [0x0a]
        let final = Array("Traceback (most recent call last):\nKeyError\n\nDuring handling\n".utf8)
        let second = Array("Traceback (most recent call last):\nValueError\n".utf8)
        let excerpt = window(kept: 10, [handled, noise, final, second])
        #expect(excerpt.headOffset == UInt64(handled.count + noise.count))
        #expect(excerpt.head == final + second)
        #expect(excerpt.latestMarkOffset == UInt64(handled.count + noise.count + final.count))
    }

    @Test("a line without an end is cut 4 KiB before the mark")
    func longLine() {
        let long = [UInt8](repeating: 0x2e, count: 100_000)
        let excerpt = window(kept: 0, [long, Array("Fatal error: x".utf8)])
        #expect(excerpt.headOffset == 100_000 - (4 << 10))
        #expect(excerpt.head.count == (4 << 10) + 14)
    }

    // MARK: - In a file

    private func withFile(_ body: (borrowing OwnedDescriptor) throws -> Void) throws {
        try withTemporaryDirectory { home in
            let path = home + "/stderr"
            let raw = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            try #require(raw >= 0)
            try body(OwnedDescriptor(adopting: raw, path: path))
        }
    }

    @Test("what is in a file is read from it at any moment, as it would be from memory")
    func file() throws {
        try withFile { file in
            #expect(StderrWindow.excerpt(of: file) == nil)
            let copy = OwnedDescriptor(adopting: dup(file.raw), path: "copy")
            let window = StderrWindow(keptByteCount: 5_000, file: consume copy)
            var generator = SeededGenerator(seed: 7)
            for index in 0..<200 {
                let count = Int.random(in: 1...3_000, using: &generator)
                let part = Array(repeating: UInt8(index & 0x7f), count: count) + Array("\nFatal error: \(index)\n".utf8)
                part.withUnsafeBytes { window.add($0) }
                #expect(StderrWindow.excerpt(of: file) == window.excerpt)
            }
            #expect(window.excerpt.tail.count == 5_000)
        }
    }

    @Test("a file with anything in it is read or refused, and never more than it holds")
    func hostile() throws {
        try withFile { file in
            let copy = OwnedDescriptor(adopting: dup(file.raw), path: "copy")
            let window = StderrWindow(keptByteCount: 100, file: consume copy)
            Array("Fatal error: x\n".utf8).withUnsafeBytes { window.add($0) }
            var generator = SeededGenerator(seed: 3)
            for _ in 0..<2_000 {
                var value = UInt64.max >> UInt64.random(in: 0..<64, using: &generator)
                if Bool.random(using: &generator) { value = UInt64.random(in: 0...200_000, using: &generator) }
                let place = off_t(8 * Int.random(in: 1...5, using: &generator))
                pwrite(file.raw, &value, 8, place)
                guard let excerpt = StderrWindow.excerpt(of: file) else { continue }
                #expect(excerpt.head.count <= 16 << 10 && excerpt.tail.count <= 100)
                if let offset = excerpt.headOffset { #expect(offset <= excerpt.byteCount) }
                if let mark = excerpt.latestMarkOffset { #expect(mark <= excerpt.byteCount) }
            }
            for size: off_t in [0, 1, 8, 4_096, 20_480, 100_000, 90_213, 18 << 20] {
                ftruncate(file.raw, size)
                #expect(StderrWindow.excerpt(of: file) == nil)
            }
        }
    }

    @Test("a file that is cut costs what is in the file, and nothing else")
    func cutFile() throws {
        try withFile { file in
            let copy = OwnedDescriptor(adopting: open("/proc/self/fd/\(file.raw)", O_RDWR | O_CLOEXEC), path: "copy")
            let window = StderrWindow(keptByteCount: 100_000, file: consume copy)
            let lines = (0..<10_000).map { "line \($0)\n" }.joined()
            Array(lines.utf8).withUnsafeBytes { window.add($0) }
            ftruncate(file.raw, 0)
            Array("Fatal error: x\n".utf8).withUnsafeBytes { window.add($0) }
            #expect(window.excerpt.head == Array("Fatal error: x\n".utf8))
            #expect(window.excerpt.tail == Array((lines + "Fatal error: x\n").utf8.suffix(100_000)))
        }
    }

    @Test("a file without space is no reason not to keep it in memory")
    func noSpace() throws {
        let raw = open("/dev/full", O_RDWR | O_CLOEXEC)
        try #require(raw >= 0)
        let window = StderrWindow(keptByteCount: 10, file: OwnedDescriptor(adopting: raw, path: "/dev/full"))
        Array("text".utf8).withUnsafeBytes { window.add($0) }
        #expect(window.excerpt.tail == Array("text".utf8))
    }

    @Test("without memory it keeps less, or only counts")
    func noMemory() {
        for limit in [200_000, 0] {
            let window = StderrWindow(keptByteCount: 1 << 20, file: nil) { $0 <= limit ? calloc($0, 1) : nil }
            for _ in 0..<3 { Array("panic: x\n".utf8).withUnsafeBytes { window.add($0) } }
            let excerpt = window.excerpt
            #expect(excerpt.byteCount == 27)
            #expect(excerpt.tail.count == (limit > 0 ? 27 : 0) && excerpt.head.count == excerpt.tail.count)
        }
    }
}
