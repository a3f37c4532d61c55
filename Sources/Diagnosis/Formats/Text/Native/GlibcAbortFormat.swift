/// The message with which a C library ends a program whose memory is damaged.
///
/// ```
/// double free or corruption (!prev)
/// *** stack smashing detected ***: terminated
/// *** Error in `./a': free(): invalid pointer: 0x0000000001e7b010 ***
/// ======= Backtrace: =========
/// /lib/x86_64-linux-gnu/libc.so.6(+0x777e5)[0x7f3c6ade224a]
/// Scudo ERROR: invalid chunk state when deallocating address 0x7b4f2ade0010
/// ```
/// The third form is that of glibc before 2.26 and has a stack. Source: `malloc/malloc.c` and `debug/` of glibc,
/// `compiler-rt/lib/scudo`.
enum GlibcAbortFormat: TextFormat {
    static let marks: [LineMark] =
        (prefixes + wholeLines + ["*** ", "Fatal glibc error: ", "Scudo ERROR: "]).map { .beginning($0) }

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            guard let cause = self.cause(text.lines[place...]) else { continue }
            let line = text.lines[place]
            let program = line.between("*** Error in `", "': ") ?? line.between("*** glibc detected *** ", ": ")
            let title = text.lines[place...].prefix(3).firstIndex { $0.starts(with: "======= Backtrace".utf8) }
            let frames = title.map { BacktraceSymbolsFrame.stack(in: text.lines[($0 + 1)...]) } ?? []
            var crash = Crash(
                program: program?.lastPathComponent.text ?? NativeStack.program(of: frames) ?? text.origin?.name,
                process: text.origin?.process, cause: cause)
            if !frames.isEmpty { crash.threads = [Crash.Thread(isCrashed: true, frames: frames)] }
            return TextFinding(crash, format: "libc-abort", line: place)
        }
        return nil
    }

    /// What the allocator's messages begin with, and what may follow in them.
    private static let prefixes = [
        "free(): ", "malloc(): ", "realloc(): ", "malloc_consolidate(): ", "munmap_chunk(): ", "mremap_chunk(): ",
        "tcache_thread_shutdown(): ",
    ]
    private static let faults = [
        "invalid ", "double free detected", "corrupted ", "too many chunks", "unaligned ", "memory corruption",
        "mismatching ", "unsorted ", "largebin ", "smallbin ",
    ]
    private static let wholeLines = [
        "double free or corruption (", "corrupted size vs. prev_size", "corrupted double-linked list",
        "break adjusted to free malloc space",
    ]
    private static let checks = [
        "stack smashing detected", "buffer overflow detected", "invalid %N$ use detected",
        "%n in writable segment detected", "longjmp causes uninitialized stack frame",
    ]

    /// The cause, if the first of some lines is such a message.
    static func cause(_ lines: ArraySlice<ArraySlice<UInt8>>) -> Crash.Cause? {
        guard let line = lines.first, line.count <= 512 else { return nil }
        if let check = self.checks.first(where: { line.starts(with: "*** \($0) ***".utf8) }) {
            // `: terminated`, or `: ./a terminated` from old versions.
            guard line.droppingSuffix(" terminated") != nil else { return nil }
            return Crash.Cause(type: check, signal: "SIGABRT")
        }
        let old = line.dropping("*** Error in `")?.after("': ") ?? line.dropping("*** glibc detected *** ")?.after(": ")
        if let rest = old?.droppingSuffix(" ***") {
            let message = rest.lastRange(of: ": 0x").map { rest[..<$0.lowerBound] } ?? rest
            let address = rest.lastRange(of: ": 0x").flatMap { rest[$0.upperBound...].hexNumber }
            return self.isAllocatorMessage(message)
                ? Crash.Cause(type: message.text, signal: "SIGABRT", address: address) : nil
        }
        for mark in ["Fatal glibc error: ", "Scudo ERROR: "] {
            guard let message = line.dropping(mark), !message.isEmpty else { continue }
            let type = mark.dropLast(2)
            return Crash.Cause(type: String(type), message: message.text, signal: "SIGABRT")
        }
        return self.isAllocatorMessage(line) ? Crash.Cause(type: line.text, signal: "SIGABRT") : nil
    }

    /// Whether a line is a message of the allocator and nothing else.
    private static func isAllocatorMessage(_ line: ArraySlice<UInt8>) -> Bool {
        if let prefix = self.prefixes.first(where: { line.starts(with: $0.utf8) }) {
            let rest = line.dropFirst(prefix.utf8.count)
            return line.count <= 96 && self.faults.contains { rest.starts(with: $0.utf8) } && !rest.contains("\"")
        }
        if line.starts(with: "double free or corruption (".utf8) {
            return ["out", "top", "!prev", "fasttop"].contains { line.droppingSuffix("(\($0))") != nil }
                && line.count < 40
        }
        return line.starts(with: "corrupted ".utf8) && line.count <= 60
            && ["prev_size", "list", "list (not small)", "in fastbins", "while consolidating"].contains { end in
                line.droppingSuffix(end) != nil
            } || line.elementsEqual("break adjusted to free malloc space".utf8)
    }
}
