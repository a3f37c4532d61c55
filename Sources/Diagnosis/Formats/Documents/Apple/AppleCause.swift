/// Why a process of an `.ips` report ended, from the many places where the system writes it.
///
/// `exception` has the Mach exception and the signal; `exceptionReason` the Objective-C exception, since 2023; `asi`
/// what libraries have left behind before they ended the process, such as the message of a failed check; `termination`
/// who ended the process and why.
struct AppleCause {
    let cause: Crash.Cause
    /// What led to it.
    let earlier: [Crash.Cause]
    /// Type, signal and message for the summary.
    let sentence: String

    init(_ report: AppleReport) {
        let exception = report["exception"]?.objectValue
        let signal = exception?.text("signal")
        let mach = exception?.text("type")
        let detail = exception?.text("subtype") ?? exception?.text("message")
        let thrown = ThrownException(report)
        let termination = Termination(report["termination"]?.objectValue)
        let messages = Self.messages(of: report)
        let message = thrown?.message ?? messages ?? termination?.message(or: detail) ?? detail ?? Self.note(of: report)
        var cause = Crash.Cause(
            type: thrown?.name ?? mach ?? signal ?? Self.noteType(of: report), message: message, signal: signal,
            code: termination?.code ?? (thrown == nil ? Self.code(in: detail) : mach))
        if mach == "EXC_BAD_ACCESS" { cause.address = Self.address(in: detail, of: exception) }
        self.cause = cause
        self.earlier = []
        let type = Words.join(cause.type, signal, separator: " ")
        self.sentence = Crash.Cause(type: type, message: message).sentence
    }

    /// What libraries have left behind, without what only describes the process.
    private static func messages(of report: AppleReport) -> String? {
        let all = self.notes(of: report).map { Array($0.utf8)[...].trimmed }
            .filter { text in !self.descriptions.contains { text.starts(with: $0.utf8) } }
        let telling = all.filter { !$0.elementsEqual("abort() called".utf8) }
        let texts = (telling.isEmpty ? all : telling).map { String(decoding: $0, as: UTF8.self) }
        return texts.joined(separator: "\n").nonEmpty
    }

    /// The first notes of each library.
    fileprivate static func notes(of report: AppleReport) -> [String] {
        let libraries = (report["asi"]?.objectValue?.members ?? []).prefix(64)
        return libraries.flatMap { library in
            (library.value.arrayValue ?? [library.value]).prefix(16).compactMap { $0.stringValue }
        }
    }

    private static let descriptions = ["CoreSimulator ", "dyld4 config", "dyld config", "Performing @selector("]

    /// `KERN_INVALID_ADDRESS` of `KERN_INVALID_ADDRESS at 0x0000000000000010`.
    private static func code(in detail: String?) -> String? {
        guard let word = detail?.split(separator: " ").first, word.hasPrefix("KERN_") || word.hasPrefix("EXC_") else {
            return nil
        }
        return String(word)
    }

    private static func address(in detail: String?, of exception: JSONObject?) -> UInt64? {
        if let text = detail.flatMap({ Array($0.utf8)[...].after(" at 0x") }) {
            return text.prefix { $0.hexValue != nil }.hexNumber
        }
        return exception?["rawCodes"]?[1]?.address
    }

    /// What a report says that is about no exception: of stack shots and of excesses.
    private static func note(of report: AppleReport) -> String? {
        report["reason"]?.stringValue?.nonEmpty ?? report["event"]?.stringValue?.nonEmpty
    }

    private static func noteType(of report: AppleReport) -> String {
        report.type == "288" ? "stackshot" : "report"
    }
}

/// An Objective-C or C++ exception that nobody caught.
private struct ThrownException {
    let name: String
    let message: String?

    init?(_ report: AppleReport) {
        if let reason = report["exceptionReason"]?.objectValue {
            guard let name = reason.text("name") ?? reason.text("class") ?? reason.text("type") else { return nil }
            self.name = name
            self.message = reason.text("composed_message") ?? reason.text("format_string")
            return
        }
        // `*** Terminating app due to uncaught exception 'NAME', reason: 'MESSAGE'`
        for note in AppleCause.notes(of: report) {
            let text = Array(note.utf8)[...]
            guard let title = text.after("Terminating app due to uncaught exception '"), let name = title.before("'")
            else { continue }
            self.name = name.text
            let reason = title.after("', reason: '").map { $0.before("'\n") ?? $0.trimmed.droppingSuffix("'") ?? $0 }
            self.message = reason.map { String(decoding: $0, as: UTF8.self) }
            return
        }
        return nil
    }
}

/// The word of whoever ended the process, if that was not the kernel for the signal's own sake.
private struct Termination {
    let code: String?
    private let domain: String
    private let words: String?

    /// The words of the termination. What the exception says tells more than a code without words.
    func message(or detail: String?) -> String {
        let title = self.code ?? self.domain
        return (self.words ?? detail).map { "\(title): \($0)" } ?? title
    }

    init?(_ termination: JSONObject?) {
        guard let termination, let domain = termination.text("namespace"), domain != "SIGNAL" else { return nil }
        let number = termination["code"]?.address.map { "0x\(String($0, radix: 16))" }
        self.code = Words.join(domain, number, separator: " ")
        let reasons = (termination["reasons"]?.arrayValue ?? []).compactMap { $0.stringValue?.nonEmpty }
        let details = (termination["details"]?.arrayValue ?? []).compactMap { $0.stringValue?.nonEmpty }
        let words =
            reasons.map(Self.explanation).joined(separator: "\n").nonEmpty ?? termination.text("indicator")
            ?? details.joined(separator: "\n").nonEmpty
        (self.domain, self.words) = (domain, words)
    }

    /// What stands behind `explanation:` in `<RBSTerminateContext| domain:10 code:0x8BADF00D explanation:… >`.
    private static func explanation(_ reason: String) -> String {
        let text = Array(reason.utf8)[...]
        guard let explanation = text.after(" explanation:") else { return reason }
        let words = explanation.before(" reportType:") ?? explanation.droppingSuffix(">") ?? explanation
        return String(decoding: words.trimmed, as: UTF8.self)
    }
}
