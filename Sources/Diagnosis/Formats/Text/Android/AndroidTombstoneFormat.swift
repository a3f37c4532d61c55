/// A crash of native code on Android, as `debuggerd` writes it to `/data/tombstones` and to the log.
///
/// ```
/// *** *** *** *** *** *** *** *** *** *** *** *** *** *** *** ***
/// Build fingerprint: 'google/raven/raven:13/TP1A.220624.021/8877034:user/release-keys'
/// ABI: 'arm64'
/// pid: 3144, tid: 3160, name: RenderThread  >>> com.example.shop <<<
/// signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x0000000000000028
/// Abort message: 'cannot open the till'
/// backtrace:
///       #00 pc 000000000004c2d8  /data/app/…/lib/arm64/libshop.so (till_open(Till*)+24) (BuildId: 0f6d2f7e58a13d77)
/// ```
/// Source: Android's `debuggerd/libdebuggerd/tombstone_proto_to_text.cpp`.
enum AndroidTombstoneFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("pid: "), .beginning("Fatal signal ")]

    static let words = [", tid: ", "Fatal signal "]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        var death: TextFinding?
        for place in places {
            let line = text.lines[place]
            if let crash = AndroidFatalSignal.crash(line) {
                death = self.finding(crash, kind: .crash, severity: .death, at: place)
            } else if let tombstone = AndroidTombstone(text.lines, at: place) {
                return self.finding(
                    tombstone.crash, kind: tombstone.isRequested ? .diagnostic : .crash,
                    severity: tombstone.isRequested ? .finding : .fatal, at: place)
            }
        }
        return death
    }

    private static func finding(
        _ crash: Crash, kind: Diagnosis.Kind, severity: TextFinding.Severity, at place: Int
    ) -> TextFinding {
        TextFinding(
            diagnosis: Diagnosis(
                format: "android-tombstone", contentType: ContentType.text, kind: kind, summary: crash.summary(),
                crash: crash),
            severity: severity, line: place)
    }
}

/// The line that Android's C library writes to the log before the tombstone: `Fatal signal 11 (SIGSEGV), code 1
/// (SEGV_MAPERR), fault addr 0x28 in tid 3160 (RenderThread), pid 3144 (m.example.shop)`.
private enum AndroidFatalSignal {
    static func crash(_ line: ArraySlice<UInt8>) -> Crash? {
        guard let rest = line.dropping("Fatal signal "), let cause = AndroidTombstone.cause(rest),
            let thread = rest.after(" in tid "), let number = thread.leadingDigits?.decimalNumber
        else { return nil }
        let process = thread.after(", pid ")
        var crash = Crash(
            program: process?.between("(", ")")?.text ?? thread.between("(", ")")?.text,
            process: process?.leadingDigits?.decimalNumber ?? number, cause: cause)
        crash.system.name = "Android"
        crash.threads = [
            Crash.Thread(name: thread.between("(", ")")?.text, number: number, isCrashed: true, frames: [])
        ]
        return crash
    }
}

/// One tombstone.
struct AndroidTombstone {
    private(set) var crash: Crash
    /// Whether somebody has asked for it; the process goes on then.
    let isRequested: Bool

    /// - Parameters:
    ///   - lines: all lines of the text.
    ///   - place: the index of the line that names the process.
    init?(_ lines: [ArraySlice<UInt8>], at place: Int) {
        guard let title = Title(lines[place]) else { return nil }
        let header = lines[(place + 1)...].prefix(16)
        let signal = header.first { $0.trimmed.starts(with: "signal ".utf8) }?.trimmed.dropping("signal ")
        let message = header.first { $0.starts(with: "Abort message:".utf8) }?.dropping("Abort message:")?.trimmed
        let body = lines[(place + 1)...].prefix(65_536)
        // What app stores show of a crash has no signal.
        let hasStack = header.contains { $0.trimmed.elementsEqual("backtrace:".utf8) }
        let unknown = message != nil ? "abort" : hasStack ? "native crash" : nil
        guard var cause = signal.flatMap(Self.cause) ?? unknown.map({ Crash.Cause(type: $0) }) else { return nil }
        if let quoted = message?.dropping("'") {
            cause.message = (quoted.droppingSuffix("'") ?? quoted).text
        } else {
            cause.message = message?.text ?? header.first { $0.starts(with: "Cause: ".utf8) }?.dropFirst(7).text
        }
        self.isRequested = signal?.contains("<debuggerd signal>") == true
        // App stores hide the number.
        self.crash = Crash(
            program: title.program, process: title.process == 0 ? nil : title.process, cause: cause)
        self.addSystem(from: lines[max(0, place - 12)..<place])
        self.crash.threads = Self.threads(title, in: body)
        self.crash.images = AndroidImages.images(in: body)
    }

    /// `11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x0000000000000028`.
    static func cause(_ text: ArraySlice<UInt8>) -> Crash.Cause? {
        guard let number = text.leadingDigits, let name = text[number.endIndex...].dropping(" (")?.before(")") else {
            return nil
        }
        var cause = Crash.Cause(type: name.text, signal: name.text)
        cause.code = text.after(", code ")?.between("(", ")")?.text
        cause.address = text.after("fault addr ")?.prefix { $0 > 0x20 && $0 != UInt8(ascii: ",") }.hexNumber
        return cause
    }

    /// `pid: 3144, tid: 3160, name: RenderThread  >>> com.example.shop <<<`.
    private struct Title {
        let process: Int64
        let thread: Int64?
        let name: String?
        let program: String?

        init?(_ line: ArraySlice<UInt8>) {
            guard let process = line.dropping("pid: ")?.leadingDigits?.decimalNumber,
                let thread = line.after(", tid: ")?.leadingDigits?.decimalNumber, let marks = line.range(of: ">>> "),
                let program = line[marks.upperBound...].before(" <<<")
            else { return nil }
            (self.process, self.thread) = (process, thread)
            self.name = line[..<marks.lowerBound].after(", name: ")?.trimmed.text
            self.program = program.prefix { $0 > 0x20 }.text.lastPathComponent.nonEmpty
        }
    }

    /// What stands above the line of the process.
    private mutating func addSystem(from lines: ArraySlice<ArraySlice<UInt8>>) {
        self.crash.system.name = "Android"
        for line in lines {
            if let build = line.dropping("Build fingerprint:") {
                // BRAND/PRODUCT/DEVICE:RELEASE/…
                self.crash.system.version = build.between(":", "/")?.text
            } else if let architecture = line.between("ABI: '", "'") {
                self.crash.system.architecture = architecture.text
            } else if let time = line.dropping("Timestamp: ") {
                self.crash.occurredAt = ZonedTime.milliseconds(in: time.text)
            }
        }
    }

    private static func threads(_ title: Title, in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Thread] {
        var threads = [Crash.Thread(name: title.name, number: title.thread, isCrashed: true, frames: [])]
        var isStack = false
        for line in lines {
            let text = line.trimmed
            if threads.count == 1, threads[0].frames.isEmpty, !isStack {
                // The registers of the crashed thread stand above its stack.
                for register in RegisterValues.all(in: text) { threads[0].addRegister(register) }
            }
            if text.starts(with: "backtrace:".utf8) {
                isStack = threads.last?.frames.isEmpty == true
            } else if isStack, let frame = AndroidFrame.frame(text) {
                if threads[threads.count - 1].frames.count < 4_096 { threads[threads.count - 1].frames.append(frame) }
            } else if let other = Title(text) {
                guard threads.count < Crash.Bounds.threadCount else { break }
                threads.append(Crash.Thread(name: other.name, number: other.thread, isCrashed: false, frames: []))
            } else if text.starts(with: "*** *** ***".utf8) {
                break
            } else if !text.isEmpty, !text.starts(with: "NOTE: ".utf8) {
                isStack = false
            }
        }
        return threads
    }
}
