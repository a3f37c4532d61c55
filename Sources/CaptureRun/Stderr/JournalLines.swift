import CLinux
import Diagnosis
import Glibc

/// What the journal has of a program's standard error.
struct JournalLines {
    let invocation: String
    let program: Int32
    let signals: HeldSignals

    private static let lineCount = 200
    /// How much of the answer is read, in bytes.
    private static let maximumByteCount = 4 << 20
    /// How long the answer may take, in milliseconds.
    private static let patience: Int64 = 2_000
    /// The last lines may come a little later than the death.
    private static let retryMilliseconds: Int32 = 200

    func excerpt(keptByteCount: Int) -> StderrExcerpt {
        var text = Self.text(answer(), of: program)
        if text.isEmpty {
            _ = poll(nil, 0, Self.retryMilliseconds)
            text = Self.text(answer(), of: program)
        }
        guard !text.isEmpty else { return StderrExcerpt() }
        let window = StderrWindow(keptByteCount: keptByteCount, file: nil)
        text.withUnsafeBytes { window.add($0) }
        return window.excerpt
    }

    /// The lines of the program, or where the journal has none of it, of its unit.
    static func text(_ answer: [UInt8], of program: Int32) -> [UInt8] {
        let entries = answer.split(separator: UInt8(ascii: "\n")).compactMap { try? JSONValue.parse(Array($0)) }
        let own = entries.filter { $0["_PID"]?.stringValue == "\(program)" }
        return (own.isEmpty ? entries : own).flatMap { message($0) + [UInt8(ascii: "\n")] }
    }

    /// A message that is no UTF-8 is a list of numbers.
    private static func message(_ entry: JSONValue) -> [UInt8] {
        guard let message = entry["MESSAGE"] else { return [] }
        if let text = message.stringValue { return Array(text.utf8) }
        return (message.arrayValue ?? []).compactMap { $0.integerValue.flatMap { UInt8(exactly: $0) } }
    }

    private func answer() -> [UInt8] {
        var ends: [Int32] = [-1, -1]
        guard clinux_pipe(&ends) == 0 else { return [] }
        let words = [
            "journalctl", "-o", "json", "--no-pager", "-q", "-n", "\(Self.lineCount)",
            "--output-fields=MESSAGE,_PID", "_SYSTEMD_INVOCATION_ID=\(invocation)",
        ]
        // It may complain where the program's messages go.
        let silence = open("/dev/null", O_RDWR | O_CLOEXEC)
        let helper = HelperProgram(
            JournalAccess().program, words, streams: (silence, ends[1], silence),
            variables: ProgramVariables(hiddenBacktrace: nil), signals: signals)
        close(ends[1])
        if silence >= 0 { close(silence) }
        let bytes = helper == nil ? [] : Self.bytes(from: ends[0])
        close(ends[0])
        _ = helper?.end(within: 100)
        return bytes
    }

    private static func bytes(from pipe: Int32) -> [UInt8] {
        let deadline = MonotonicTime.now + patience
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count < maximumByteCount {
            var entry = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
            let rest = deadline - MonotonicTime.now
            guard rest > 0, poll(&entry, 1, Int32(clamping: rest)) != 0 else { break }
            let count = read(pipe, &buffer, buffer.count)
            if count == -1, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return bytes
    }
}
