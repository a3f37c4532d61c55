import Background
import DurableIO
import TestSupport
import Testing

@testable import Reports

/// Every kind of destination against the answers of servers, through the engine: what becomes of a report, and what the
/// second request looks like where an answer asks for one.
@Suite("Answers of destinations", .timeLimit(.minutes(5)))
struct DestinationAnswerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let subject: ContractSubject
        let answer: ScriptedAnswer

        var testDescription: String { answer.name }
    }

    private static let cases = ContractSubject.all.flatMap { subject in
        ScriptedAnswer.of(subject.name).map { Case(subject: subject, answer: $0) }
    }

    @Test("every kind has answers, and the answers of kinds that are not built are known as such")
    func complete() {
        for kind in Destination.kinds {
            let subject = ContractSubject.all.first { $0.schemes == kind.schemes }
            #expect(subject != nil, "no subject of the contract for \(kind)")
            #expect(subject.map { ScriptedAnswer.of($0.name).count >= 10 } == true, "too few answers for \(kind)")
        }
        #expect(ContractSubject.all.count == Destination.kinds.count)
        let others = Set(ScriptedAnswer.all.map(\.kind)).subtracting(ContractSubject.all.map(\.name))
        #expect(others == Set(ContractSubject.notBuilt))
    }

    @Test("an answer has the meaning that is written beside it", arguments: cases)
    func meaning(_ item: Case) async throws {
        var words = item.answer.verdict
        if words.hasPrefix(Self.lenient) {
            let end = try await Self.end(of: item, acknowledgement: .any) { item.answer.result(wall: $0) }
            end.expect("delivered")
            words = String(words.dropFirst(Self.lenient.count))
        }
        guard words.hasPrefix("again ") else {
            let end = try await Self.end(of: item) { item.answer.result(wall: $0) }
            #expect(end.requests.count == 1)
            end.expect(words)
            return
        }
        let steps = words.dropFirst("again ".count).replacing(", else ", with: ", then ").split(separator: ", then ")
        let change = try #require(item.subject.changes[String(steps[0])])
        let good = try #require(ScriptedAnswer.all.first { $0.name == "\(item.subject.name)/200" })
        let mended = try await Self.end(of: item, { item.answer.result(wall: $0) }, { good.result(wall: $0) })
        mended.expect("delivered")
        #expect(mended.requests.count == 2)
        #expect(change(mended.requests[0], mended.requests[1], mended.wall))

        let same = try await Self.end(of: item) { item.answer.result(wall: $0) }
        #expect(same.requests.count == 2, "the same answer once more is the last word")
        #expect(same.record.state != .delivered)
        if steps.count > 1 { same.expect(String(steps[1])) }
    }

    /// What the settings of a destination can make of an answer; behind it stands what it means without them.
    private static let lenient = "delivered where any 2xx counts, else "

    @Test("what an attempt has learned counts for the next ones of a run")
    func learned() async throws {
        let subject = try #require(ContractSubject.all.first { $0.name == "s3" })
        for name in ["RequestTimeTooSkewed", "PermanentRedirect", "NotImplemented"] {
            let answer = try #require(ScriptedAnswer.all.first { $0.name == "s3/\(name)" })
            let good = try #require(ScriptedAnswer.all.first { $0.name == "s3/200" })
            try await withSpool { harness in
                var configuration = harness.configuration()
                configuration.routing = Routing(subject.destination())
                configuration.maximumConcurrent = 1
                harness.transport.answer { $0.index == 0 ? answer.result(wall: $0.wall) : good.result(wall: $0.wall) }
                for index in 0..<5 { try harness.add("crash \(index)") }
                let summary = try await Submission(spool: harness.spool, configuration: configuration).run()
                #expect(summary.delivered == 5)
                #expect(harness.transport.sent.count == 6, "\(name)")
            }
        }
    }

    // MARK: - How it ends

    private struct End: Sendable {
        let record: TransferRecord
        let summary: SubmissionSummary
        let requests: [TransferRequest]
        let wall: Int64
        let name: String

        /// Whether the report is where the words say it is.
        func expect(_ words: String) {
            let words = words.split(separator: "; ").map(String.init)
            for word in words {
                #expect(isMet(word), "\(name): \(word), but \(record.state) \(String(describing: record.reason))")
            }
        }

        private func isMet(_ words: String) -> Bool {
            if words == "delivered" { return record.state == .delivered }
            if words == "rejected" { return record.state == .rejected }
            if words.hasPrefix("held(") {
                guard let reason = HoldReason(rawValue: String(words.dropFirst(5).dropLast())) else { return false }
                return record.state == .held && record.reason == .held(reason)
            }
            if words.hasPrefix("origin waits") {
                guard record.state == .delivered || record.state == .waiting && record.charged == 0 else {
                    return false
                }
                let seconds = words.split(separator: " ").compactMap { Int64($0) }.first ?? 0
                guard record.state == .waiting else { return true }
                return (summary.nextAttemptMilliseconds ?? 0) - wall >= seconds * 1_000
            }
            if words == "waits, charged to the item" { return record.state == .waiting && record.charged == 1 }
            return words == "waits" && record.state == .waiting
        }
    }

    /// Sends one report. The answers are those to the first request, the second, and so on; the last one is to all
    /// others.
    private static func end(
        of item: Case, acknowledgement: Acknowledgement? = nil,
        _ answers: (@Sendable (_ wall: Int64) -> TransportResult)...
    ) async throws -> End {
        try await withSpool { harness in
            var configuration = harness.configuration()
            var destination = item.subject.destination()
            destination.acknowledgement = acknowledgement
            configuration.routing = Routing(destination)
            harness.transport.answer { answers[min($0.index, answers.count - 1)]($0.wall) }
            let id = try harness.add(item.subject.payload, annotations: ["service": "shop"])
            let summary = try await Submission(spool: harness.spool, configuration: configuration).run()
            let record = try #require(try harness.record(id))
            for secret in item.subject.secrets {
                for text in [record.lastError, record.note, record.receipt].compactMap(\.self) {
                    #expect(!text.contains(secret), "\(text)")
                }
            }
            return End(
                record: record, summary: summary, requests: harness.transport.sent.map(\.request),
                wall: harness.clock.wallMilliseconds, name: item.answer.name)
        }
    }
}
