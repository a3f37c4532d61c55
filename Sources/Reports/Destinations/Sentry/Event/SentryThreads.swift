import Diagnosis

/// The threads of a crashed process in Sentry's list. The stack of the crashed one stands with its exception.
struct SentryThreads {
    private let threads: [Crash.Thread]
    /// The index of the thread that the exception belongs to.
    private let faulting: Int?
    private let numbers: [Int64]

    init(_ crash: Crash) {
        threads = crash.threads
        faulting =
            crash.threads.firstIndex(where: \.isCrashed) ?? crash.threads.firstIndex { !$0.frames.isEmpty }
        // The payload's numbers, unless two threads have the same, or one has none.
        let given = crash.threads.compactMap { thread in thread.number.flatMap { $0 >= 0 ? $0 : nil } }
        let isUnique = given.count == crash.threads.count && Set(given).count == given.count
        numbers = isUnique ? given : crash.threads.indices.map(Int64.init)
    }

    /// Whether the list says more than the exception alone.
    var isTelling: Bool {
        threads.count > 1 || threads.contains { $0.name != nil || $0.number != nil || $0.state != nil }
    }

    /// The number of the thread that the exception belongs to.
    var faultingNumber: Int64? { faulting.map { numbers[$0] } }

    /// The list without stacks.
    var json: [JSONObject] {
        threads.indices.map { index in
            var object = JSONObject()
            object["id"] = .integer(numbers[index])
            object["name"] = SentryText.line(threads[index].name, SentryText.Limit.threadName).map { .string($0) }
            object["state"] = SentryText.line(threads[index].state, SentryText.Limit.fact).map { .string($0) }
            object["crashed"] = .bool(threads[index].isCrashed)
            object["current"] = .bool(index == faulting)
            return object
        }
    }

    /// The list with the stacks of threads other than the crashed one, as far as they are no longer than so many bytes
    /// in all.
    func json(_ stack: SentryStack, byteCount limit: Int) -> [JSONValue] {
        var left = limit
        var list = json
        for index in threads.indices where index != faulting && left > 0 {
            guard let trace = stack.json(threads[index].frames) else { continue }
            // The name of the member and its punctuation come on top.
            left -= trace.utf8Bytes.count + 16
            if left >= 0 { list[index]["stacktrace"] = trace }
        }
        return list.map { .object($0) }
    }
}
