/// The first line of a report of the Linux kernel about itself: what it has found, and how bad that is.
struct KernelHeadline {
    /// From the least to the worst.
    enum Rank: Int, Comparable {
        case warning, sanitizer, hang, oops, panic

        static func < (left: Rank, right: Rank) -> Bool { left.rawValue < right.rawValue }
    }

    let rank: Rank
    let format: String
    var cause: Crash.Cause
    /// The task that the line names, if the report is about a task rather than the kernel.
    var task: (name: String, process: Int64?)?
    /// Where it was found, if the line names that.
    var place: Crash.Frame?
    /// Whether only this report has such a line, so that nothing else need follow it.
    var isCertain = false

    /// Reads a headline, for which the line behind it may count too.
    init?(_ line: ArraySlice<UInt8>, next: ArraySlice<UInt8>?) {
        let line = line.dropping("NMI watchdog: ") ?? line.dropping("watchdog: ") ?? line
        guard
            let headline = Self.panic(line) ?? Self.hang(line) ?? Self.sanitizer(line, next: next)
                ?? Self.warning(line) ?? Self.machineCheck(line) ?? Self.oops(line)
        else { return nil }
        self = headline
    }

    private init(_ rank: Rank, _ format: String, _ cause: Crash.Cause) {
        (self.rank, self.format, self.cause) = (rank, format, cause)
    }

    private static func panic(_ line: ArraySlice<UInt8>) -> KernelHeadline? {
        guard let reason = line.dropping("Kernel panic - not syncing: ")?.trimmed, !reason.isEmpty else { return nil }
        return KernelHeadline(.panic, "kernel-panic", Crash.Cause(type: "Kernel panic", message: reason.text))
    }

    // MARK: - Faults of the kernel

    /// What the kernel goes on after, although it ends the task or will end itself: `BUG:`, `Oops:` and exceptions.
    private static func oops(_ line: ArraySlice<UInt8>) -> KernelHeadline? {
        if let place = line.dropping("kernel BUG at ") {
            var headline = KernelHeadline(.oops, "kernel-oops", Crash.Cause(type: "kernel BUG"))
            let location = SourceLocation(place.droppingSuffix("!") ?? place)
            headline.place = location.map { Crash.Frame(file: $0.file, line: $0.line, isOwn: true) }
            return location == nil ? nil : headline
        }
        if let fault = line.dropping("BUG: ") {
            // PowerPC writes the first word large.
            let beginnings = ["kernel NULL pointer", "unable to handle ", "Kernel NULL pointer", "Unable to handle "]
            let isFault = beginnings.contains { fault.starts(with: $0.utf8) }
            return isFault ? self.fault("BUG", fault) : self.complaint(fault)
        }
        if line.starts(with: "Unable to handle kernel ".utf8) { return self.fault("Oops", line) }
        return self.exception(line)
    }

    private static func fault(_ type: String, _ message: ArraySlice<UInt8>) -> KernelHeadline {
        var cause = Crash.Cause(type: type, message: message.trimmed.text)
        let address = message.after("address: ") ?? message.after("address ") ?? message.after(" at ")
        cause.address = address?.prefix { $0.hexValue != nil || $0 == UInt8(ascii: "x") }.hexNumber
        return KernelHeadline(.oops, "kernel-oops", cause)
    }

    /// An exception of the processor, `NAME: CODE [#COUNT] FLAGS`, with `Oops: ` or `Internal error: ` before it.
    private static func exception(_ line: ArraySlice<UInt8>) -> KernelHeadline? {
        guard let sign = line.range(of: "[#"), let count = line[sign.upperBound...].leadingDigits,
            line[count.endIndex...].first == UInt8(ascii: "]")
        else { return nil }
        var fault = line[..<sign.lowerBound].trimmed
        if let code = fault.lastRange(of: ": "), fault[code.upperBound...].allSatisfy({ $0.hexValue != nil }) {
            fault = fault[..<code.lowerBound]
        }
        fault = fault.dropping("Internal error: ") ?? fault
        fault = fault.dropping("Oops: ") ?? fault
        guard let first = fault.first, first.isLetter, fault.count <= 128, !fault.contains("(") else { return nil }
        let parts = fault.range(of: ", ")
        let name = parts.map { fault[..<$0.lowerBound] } ?? fault
        var cause = Crash.Cause(type: name.text, message: parts.map { fault[$0.upperBound...].text })
        cause.address = fault.after("address ")?.hexNumber
        return KernelHeadline(.oops, "kernel-oops", cause)
    }

    // MARK: - Findings

    /// An error that the processor has found in itself or in memory: `CPU 2: Machine Check Exception: 5 Bank 4: b200…`.
    private static func machineCheck(_ line: ArraySlice<UInt8>) -> KernelHeadline? {
        guard let text = line.dropping("mce: [Hardware Error]: "), text.starts(with: "CPU ".utf8),
            text.contains(": Machine Check")
        else { return nil }
        let cause = Crash.Cause(type: "Machine check", message: text.trimmed.text)
        var headline = KernelHeadline(.warning, "kernel-warning", cause)
        headline.isCertain = true
        return headline
    }

    /// What `BUG:` says of findings after which the kernel goes on.
    private static func complaint(_ fault: ArraySlice<UInt8>) -> KernelHeadline? {
        let beginnings = [
            "sleeping function called from invalid context", "scheduling while atomic", "Bad page ", "Bad rss-counter",
            "using smp_processor_id() in preemptible", "spinlock ", "workqueue lockup", "MAX_",
        ]
        guard beginnings.contains(where: { fault.starts(with: $0.utf8) }) else { return nil }
        return KernelHeadline(.warning, "kernel-warning", Crash.Cause(type: "BUG", message: fault.trimmed.text))
    }

    /// `WARNING: CPU: 0 PID: 1452 at FILE:LINE FUNCTION+…`, or since Linux 6.18
    /// `WARNING: FILE:LINE at FUNCTION+…, CPU#0: COMMAND/1452`; and those of the lock checker.
    private static func warning(_ line: ArraySlice<UInt8>) -> KernelHeadline? {
        guard let rest = line.dropping("WARNING: ") else { return nil }
        if rest.starts(with: "possible ".utf8) || rest.starts(with: "suspicious RCU usage".utf8)
            || rest.starts(with: "inconsistent lock state".utf8)
        {
            return KernelHeadline(.warning, "kernel-warning", Crash.Cause(type: "WARNING", message: rest.trimmed.text))
        }
        let words = (rest.dropping("CPU: ")?.after(" at ") ?? rest).split(separator: 0x20, maxSplits: 2)
        guard rest.starts(with: "CPU: ".utf8) || words.dropFirst().first?.elementsEqual("at".utf8) == true,
            let location = words.first.flatMap({ SourceLocation($0) })
        else { return nil }
        var headline = KernelHeadline(.warning, "kernel-warning", Crash.Cause(type: "WARNING"))
        headline.place =
            rest.after(" at ").flatMap { KernelTrace.function(in: $0) }
            ?? Crash.Frame(isOwn: true)
        headline.place?.file = location.file
        headline.place?.line = location.line
        headline.isCertain = headline.place?.function != nil
        return headline
    }

    /// Reports of the kernel's own sanitizers, `BUG: KASAN: KIND in FUNCTION+…` and `UBSAN: KIND in FILE:LINE:COLUMN`.
    private static func sanitizer(_ line: ArraySlice<UInt8>, next: ArraySlice<UInt8>?) -> KernelHeadline? {
        let text = line.dropping("BUG: ") ?? line
        let tools = ["KASAN: ", "KCSAN: ", "KMSAN: ", "KFENCE: ", "UBSAN: "]
        guard tools.contains(where: { text.starts(with: $0.utf8) }), let place = text.range(of: " in ") else {
            return nil
        }
        let details = next?.trimmed.text.nonEmpty
        var headline = KernelHeadline(
            .sanitizer, "kernel-sanitizer", Crash.Cause(type: text[..<place.lowerBound].text, message: details))
        let location = text[place.upperBound...]
        headline.place = KernelTrace.function(in: location)
        if headline.place == nil, let source = SourceLocation(location) {
            headline.place = Crash.Frame(file: source.file, line: source.line, column: source.column, isOwn: true)
        }
        return headline
    }

    /// Lockups of processors, stalls of RCU, and tasks that do not go on.
    private static func hang(_ line: ArraySlice<UInt8>) -> KernelHeadline? {
        if let lockup = line.dropping("BUG: soft lockup - ") {
            return self.hang("soft lockup", lockup, isCertain: lockup.starts(with: "CPU#".utf8))
        }
        if let lockup = line.dropping("Watchdog detected hard LOCKUP ") {
            return self.hang("hard lockup", lockup, isCertain: lockup.starts(with: "on cpu ".utf8))
        }
        let stall = line.dropping("rcu: INFO: ") ?? line.dropping("INFO: ")
        guard let stall else { return nil }
        if stall.starts(with: "rcu".utf8), stall.contains(" stall") {
            return self.hang("RCU stall", stall, isCertain: true)
        }
        guard let task = stall.dropping("task "), let verb = task.range(of: " blocked for more than "),
            let colon = task[..<verb.lowerBound].lastRange(of: ":"),
            let process = task[colon.upperBound..<verb.lowerBound].decimalNumber
        else { return nil }
        var headline = self.hang("hung task", task[(verb.lowerBound + 1)...], isCertain: true)
        headline.task = (task[..<colon.lowerBound].text, process)
        return headline
    }

    private static func hang(_ type: String, _ message: ArraySlice<UInt8>, isCertain: Bool) -> KernelHeadline {
        var headline = KernelHeadline(.hang, "kernel-hang", Crash.Cause(type: type, message: message.trimmed.text))
        headline.isCertain = isCertain
        return headline
    }
}
