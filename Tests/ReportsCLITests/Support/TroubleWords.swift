import Diagnosis
import Foundation
import TestSupport
import Testing

/// What each command says of a report that did not go out.
///
/// With `REPORTS_SHOW_WORDS=1` all of it is printed, for a person who wants to read it.
struct TroubleWords: CustomStringConvertible {
    let id: String
    let exit: Int32
    let report: JSONValue
    let submit: String
    let show: String
    let status: String
    let list: String

    var description: String {
        "exit \(exit)\n--- submit\n\(submit)\n--- show\n\(show)\n--- status\n\(status)\n--- list\n\(list)"
    }

    /// The state of the report; with the word for its reason if it is held or waiting: `held(auth)`.
    var state: String {
        let state = report["state"]?.stringValue ?? ""
        guard ["held", "waiting"].contains(state) else { return state }
        return state + (report["reason"]?.stringValue.map { "(\($0))" } ?? "")
    }

    private static let showsWords = ProcessInfo.processInfo.environment["REPORTS_SHOW_WORDS"] == "1"

    /// The report is in a state, and commands say why.
    ///
    /// - Parameters:
    ///   - state: as ``state`` gives it.
    ///   - text: what they say.
    ///   - places: the commands that say it. The default is those that every person asks.
    ///   - exit: the exit status of `submit`. The default is that of something left to do.
    ///   - location: the caller's.
    func expect(
        _ state: String, _ text: String, in places: [KeyPath<TroubleWords, String>] = [\.submit, \.show, \.status],
        exit: Int32 = 75, location: SourceLocation = #_sourceLocation
    ) {
        if Self.showsWords { print("=== \(state): \(text)\n\(self)") }
        #expect(self.exit == exit, "\(self)", sourceLocation: location)
        #expect(self.state == state, "\(self)", sourceLocation: location)
        for place in places { #expect(self[keyPath: place].contains(text), "\(self)", sourceLocation: location) }
    }
}

extension ReportsTool {
    /// Adds a report, submits it, and asks all commands about it.
    func words(of text: String = "hello", at endpoint: String, _ more: String...) async throws -> TroubleWords {
        try await words(ofReport: try await add(text), submitting: ["--endpoint", endpoint] + more)
    }

    /// Submits, and asks all commands about a report that is in the spool.
    func words(ofReport id: String, submitting options: [String]) async throws -> TroubleWords {
        let submit = try await run(["submit"] + options)
        return TroubleWords(
            id: id, exit: submit.status, report: try await show(id), submit: submit.output + submit.errors,
            show: try await run("show", id).output, status: try await run("status").output,
            list: try await run("list").output)
    }

    /// Lets hours pass for all that waits: nobody can set the clock that the owner goes by.
    func letPass(hours: Int64) throws {
        let milliseconds = hours * 3_600_000
        try tamper(
            with: spool + "/ledger.sqlite",
            """
            UPDATE transfer SET due_at=due_at-\(milliseconds) WHERE due_at IS NOT NULL;
            UPDATE origin SET opens_at=opens_at-\(milliseconds) WHERE opens_at IS NOT NULL;
            """)
    }
}
