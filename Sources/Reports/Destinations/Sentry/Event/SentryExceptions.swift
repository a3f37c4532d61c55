import Diagnosis

/// The causes of a crash as Sentry's exceptions: the first cause first, and the one that ended the program last.
struct SentryExceptions {
    let crash: Crash
    let format: SentryFormat
    let stack: SentryStack
    /// Whether nobody caught it, so that the program has ended.
    let isUnhandled: Bool
    /// The number of the crashed thread in Sentry's list.
    let thread: Int64?
    var hasEarlierCauses = true

    var json: [JSONValue] {
        let earlier = hasEarlierCauses ? crash.earlierCauses : []
        let causes = earlier.enumerated().reversed().map { index, cause in
            chained(cause, number: Int64(index) + 1)
        }
        return causes + [last(isInChain: !earlier.isEmpty)]
    }

    private func chained(_ cause: Crash.Cause, number: Int64) -> JSONValue {
        var object = named(cause, value: cause.message)
        var mechanism = JSONObject()
        mechanism["type"] = .string("chained")
        mechanism["handled"] = .bool(!isUnhandled)
        mechanism["exception_id"] = .integer(number)
        mechanism["parent_id"] = .integer(number - 1)
        object["mechanism"] = .object(mechanism)
        object["stacktrace"] = stackOfCause.json(cause.frames)
        return .object(object)
    }

    /// A chain of many long stacks would be larger by far than an event may be.
    private var stackOfCause: SentryStack {
        var stack = stack
        stack.frameLimit = min(stack.frameLimit, 64)
        return stack
    }

    private func last(isInChain: Bool) -> JSONValue {
        let crashed = crash.crashedThread
        var object = named(crash.cause, value: value)
        var mechanism = self.mechanism(frames: crashed?.frames ?? [])
        if isInChain { mechanism["exception_id"] = .integer(0) }
        object["mechanism"] = .object(mechanism)
        object["thread_id"] = thread.map { .integer($0) }
        object["stacktrace"] = stack.json(crashed?.frames ?? [], registers: crashed?.registers ?? [])
        return .object(object)
    }

    /// The type and the message. The class of an exception stands apart from its module.
    private func named(_ cause: Crash.Cause, value: String?) -> JSONObject {
        var object = JSONObject()
        var type = cause.type
        if format.hasModulesOfExceptions, let point = type.lastIndex(of: "."), point > type.startIndex,
            !type.contains(" "), type.index(after: point) < type.endIndex
        {
            let module = SentryText.line(String(type[..<point]), SentryText.Limit.exceptionModule)
            object["module"] = module.map { .string($0) }
            type = String(type[type.index(after: point)...])
        }
        object["type"] = .string(SentryText.line(type, SentryText.Limit.exceptionType) ?? "crash")
        object["value"] = SentryText.lines(value, SentryText.Limit.message).map { .string($0) }
        return object
    }

    // MARK: - The last one

    /// The message; where it only says in words what the signal is, with the address; where there is none, what else is
    /// known.
    private var value: String? {
        let cause = crash.cause
        if let message = cause.message, !message.isEmpty, !isMessageOfSignal { return message }
        let address = cause.address.map { "0x" + String($0, radix: 16) }
        let signal = cause.signal == cause.type ? nil : cause.signal
        if let words = cause.message ?? cause.code ?? signal { return address.map { "\(words) at \($0)" } ?? words }
        guard let address else {
            let subject = crash.subject()
            return format.isMemoryDump ? subject.map { "\($0) dumped core" } : subject
        }
        return "address \(address)"
    }

    /// Whether the type is a signal's name or that of a Mach exception, and the message says nothing besides.
    private var isOnlySignal: Bool {
        let cause = crash.cause
        let isNamed = cause.type == cause.signal || ["SIG", "EXC_"].contains { cause.type.hasPrefix($0) }
        guard isNamed else { return false }
        return cause.message == nil || isMessageOfSignal
    }

    private var isMessageOfSignal: Bool {
        guard let message = crash.cause.message else { return false }
        return Self.wordsOfSignals.contains(message) || message.hasPrefix("KERN_")
    }

    /// What Swift's backtracer, Go and the C library call the signals.
    private static let wordsOfSignals: Set<String> = [
        "Illegal instruction", "System trap", "Aborted", "Bus error", "Floating point exception",
        "Bad pointer dereference", "Terminated", "Segmentation fault", "Trace/breakpoint trap", "quit", "abort",
        "segmentation violation", "bus error", "illegal instruction", "floating-point exception",
    ]

    private func mechanism(frames: [Crash.Frame]) -> JSONObject {
        var object = JSONObject()
        object["type"] = .string(mechanismType)
        object["handled"] = .bool(!isUnhandled)
        // Sentry then shows and groups by the function, which says more than the name of a signal.
        if isOnlySignal, frames.contains(where: { $0.function != nil }) { object["synthetic"] = .bool(true) }
        if let name = SentryText.line(crash.cause.signal, 32) {
            var signal = JSONObject()
            signal["number"] = crash.signalNumber.map { .integer($0) }
            signal["name"] = .string(name)
            object["meta"] = .object(JSONObject([.init(key: "signal", value: .object(signal))]))
        }
        var data = JSONObject()
        data["relevant_address"] = crash.cause.address.map(SentryNumber.address)
        data["code"] = SentryText.line(crash.cause.code, SentryText.Limit.fact).map { .string($0) }
        if !data.members.isEmpty { object["data"] = .object(data) }
        return object
    }

    private var mechanismType: String {
        // A sanitizer is the runtime of what it has found.
        let tool = ["sanitizer", "libfuzzer"].contains(format.name) ? crash.runtime?.name : nil
        let type = tool ?? format.mechanism ?? (crash.cause.signal == nil ? format.name : "signalhandler")
        return SentryText.line(type, SentryText.Limit.mechanism) ?? "crash"
    }
}
