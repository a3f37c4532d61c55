/// What valgrind wrote about one process.
struct ValgrindProtocol {
    private static let tools = ["Memcheck", "Helgrind", "DRD", "Massif", "Cachegrind", "Callgrind", "DHAT"]

    private let process: Int64
    private let place: Int
    private var tool: String?
    private var program: String?
    private var errorSummary: String?
    private var findings: [ValgrindFinding] = []
    /// The finding of which lines are being read.
    private var open: ValgrindFinding?

    init(process: Int64, place: Int) {
        self.process = process
        self.place = place
    }

    mutating func add(_ line: ArraySlice<UInt8>) {
        if line.trimmed.isEmpty { return self.close() }
        if let frame = ValgrindFrame.read(line) {
            self.open?.add(frame)
        } else if line.first == 0x20 || line.starts(with: "Locks held:".utf8) {
            self.open?.add(detail: line)
        } else if self.tool == nil, let tool = Self.tools.first(where: { line.starts(with: "\($0), a".utf8) }) {
            self.tool = tool
        } else if let command = line.dropping("Command: ") {
            self.program = command.trimmed.prefix { !$0.isBlank }.text
        } else if let summary = line.dropping("ERROR SUMMARY: ") {
            self.errorSummary = (summary.before(" (") ?? summary).text
        } else {
            self.close()
            // Where a thread was created is no finding, though it has a stack.
            self.open = line.starts(with: "Thread #".utf8) ? nil : ValgrindFinding(title: line)
        }
    }

    /// Keeps the finding if it turned out to be one: what has no stack is a remark.
    private mutating func close() {
        if let open = self.open, !open.frames.isEmpty, self.findings.count < 1_024 || open.signal != nil {
            self.findings.append(open)
        }
        self.open = nil
    }

    var finding: TextFinding? {
        var closed = self
        closed.close()
        let fatal = closed.findings.first { $0.isFatal }
        // Without its head a protocol is told by a fatal signal alone.
        guard let worst = fatal ?? closed.findings.first, self.tool != nil || fatal != nil else { return self.empty }
        let diagnosis = self.diagnosis(of: worst)
        return TextFinding(diagnosis: diagnosis, severity: fatal == nil ? .finding : .fatal, line: self.place)
    }

    private func diagnosis(of finding: ValgrindFinding) -> Diagnosis {
        var crash = Crash(program: self.program?.lastPathComponent, process: self.process, cause: finding.cause)
        crash.threads = [Crash.Thread(isCrashed: true, frames: finding.frames)]
        crash.runtime = Crash.Runtime(name: "valgrind")
        let isFatal = finding.isFatal
        return Diagnosis(
            format: "valgrind-text", contentType: ContentType.text, kind: isFatal ? .crash : .diagnostic,
            summary: isFatal
                ? crash.summary() : "\(self.title): \(finding.title.text)\(crash.place?.place ?? "")\(self.errorCount)",
            crash: crash)
    }

    /// A protocol without any finding.
    private var empty: TextFinding? {
        guard self.tool != nil else { return nil }
        return TextFinding(
            diagnosis: Diagnosis(
                format: "valgrind-text", contentType: ContentType.text, kind: .diagnostic,
                summary: self.title + (self.errorSummary.map { ": \($0)" } ?? "")),
            severity: .finding, line: self.place)
    }

    private var errorCount: String {
        self.errorSummary.map { " (\($0))" } ?? ""
    }

    private var title: String {
        "\(self.program ?? "?")[\(self.process)] \(self.tool?.lowercased() ?? "valgrind")"
    }
}

/// One error, or the signal that ended the process.
private struct ValgrindFinding {
    let title: ArraySlice<UInt8>
    private(set) var frames: [Crash.Frame] = []
    private var details: [ArraySlice<UInt8>] = []
    /// Whether a second stack has begun, which tells where the memory came from.
    private var isBehindStack = false

    init(title: ArraySlice<UInt8>) {
        self.title = title
    }

    mutating func add(_ frame: Crash.Frame) {
        if !self.isBehindStack, self.frames.count < TextBounds.frameCount { self.frames.append(frame) }
    }

    mutating func add(detail: ArraySlice<UInt8>) {
        self.isBehindStack = !self.frames.isEmpty
        if self.details.count < 4 { self.details.append(detail.trimmed) }
    }

    /// The name in `Process terminating with default action of signal 11 (SIGSEGV)`.
    var signal: String? {
        guard self.title.starts(with: "Process terminating with default action of signal ".utf8) else { return nil }
        return self.title.between("(", ")")?.text
    }

    /// Whether the signal is none that people and service managers end programs with.
    var isFatal: Bool {
        self.signal.map { !["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL", "SIGALRM", "SIGPIPE"].contains($0) } ?? false
    }

    /// The name that valgrind's XML has for an error, by what the title of one has in it.
    private static let kinds = [
        ("Invalid read of size", "InvalidRead"), ("Invalid write of size", "InvalidWrite"),
        ("Jump to the invalid address", "InvalidJump"), ("Conditional jump or move depends", "UninitCondition"),
        ("Use of uninitialised value", "UninitValue"), ("Syscall param", "SyscallParam"),
        ("Invalid free()", "InvalidFree"), ("Mismatched ", "MismatchedFree"),
        ("Source and destination overlap", "Overlap"), ("definitely lost", "Leak_DefinitelyLost"),
        ("indirectly lost", "Leak_IndirectlyLost"), ("possibly lost", "Leak_PossiblyLost"),
        ("still reachable", "Leak_StillReachable"), ("Possible data race", "Race"),
    ]

    /// The kind of the error. The title has sizes and counts in it, which differ from run to run.
    private var kind: String {
        Self.kinds.first { self.title.contains($0.0) }?.1 ?? self.title.text
    }

    var cause: Crash.Cause {
        let details = self.details.map(\.text).joined(separator: "\n").nonEmpty
        let address = self.details.lazy.compactMap { detail in
            (detail.after("at address 0x") ?? detail.dropping("Address 0x"))?.prefix { $0.hexValue != nil }.hexNumber
        }.first
        guard let signal = self.signal else {
            let message = Words.join(self.title.text, details, separator: "\n")
            return Crash.Cause(type: self.kind, message: message, address: address)
        }
        return Crash.Cause(type: signal, message: details, signal: signal, address: address)
    }
}
