package import Background
import DurableIO

/// A protocol that reports can be sent by, with one place to which they go.
///
/// Each kind of destination is one folder beside this file and one name in ``Destination/kinds``. A kind says how the
/// request of a report is made and what an answer means. It knows neither the ledger nor the spool, has no clock of its
/// own, and decides nothing about when a report is sent.
///
/// The owner of a spool makes its kinds anew when it begins. A kind may learn from answers, for example the server's
/// clock. What it has learned is in memory only, and is gone with the owner.
package protocol DestinationKind: Sendable {
    /// What stands before `://` in the endpoints of this kind, in lower case.
    static var schemes: [String] { get }
    /// The form in which reports are sent when nobody sets one. The default is ``ReportEncoding/gzip``.
    static var usualEncoding: ReportEncoding { get }
    /// The names in an endpoint's query whose values are no secret, so that they may be shown. The default is none.
    static var openQueryNames: Set<String> { get }
    /// Whether a long part of the path may be a token, as many services give one to each customer, so that it is neither
    /// shown nor kept. The default is `false`.
    static var hasTokensInPath: Bool { get }
    /// The proof of receipt that a 2xx answer has to contain when nobody sets one, for people; `nil`, the default, if
    /// every 2xx counts.
    static var ownProof: String? { get }
    /// How long a report rests at least, in milliseconds, when all of its request has been sent and nobody knows whether
    /// the server has it: for servers that take a second copy for another report (``UnansweredRest``). Such a request
    /// goes over a connection of its own. The default, `nil`, is for servers that know a report again.
    static var unansweredRest: Int64? { get }

    /// Makes a destination from an endpoint as the user writes it, and checks it.
    /// - Throws: ``ReportsError`` without the endpoint's text, which may hold a secret.
    init(endpoint: String, options: DestinationOptions) throws(ReportsError)

    /// Where its connections go. What differs from report to report is filled in with an example.
    var endpoint: Endpoint { get }
    /// The name of the gate that all its reports go through: scheme, host and port, and what else the server limits,
    /// for example a bucket. It holds no secret: it stands in the ledger and in the output of `status`.
    var gateKey: String { get }
    /// How much of an answer's body ``judge(_:to:_:)`` needs, in bytes; `nil` is 1 KiB.
    var answerByteCount: Int? { get }
    /// Whether a large report may go out in parts, if the server can do that.
    var goesInParts: Bool { get }

    /// Whether a header field is the kind's own, so that a field of the user's with that name is not sent.
    static func setsHeader(_ name: String) -> Bool
    /// Checks what sending needs besides the endpoint's text, for example credentials in the environment. The owner of
    /// a spool asks this when it begins. Commands that only read the settings do not ask.
    func checkSurroundings() throws(ReportsError)
    /// Why no report may be sent as a trial, as the end of a sentence about the destination; `nil`, the default, if one
    /// may.
    static var trialObjection: String? { get }
    /// What the body of a request is, for people. The default is `the payload`.
    var bodyContent: String { get }
    /// What ``admits(_:)`` depends on, in a text without a secret: if it has changed, a run asks again about reports
    /// that were not taken. The default is the scheme.
    var admissionTerms: String { get }
    /// Whether it takes such a report at all. This is asked before a report is sent, without its payload.
    func admits(_ report: ReportOutline) -> Admission
    /// Makes the request of one attempt, with the credentials of that moment.
    /// - Throws: ``NoAnswer`` when there is no request to send.
    func request(
        for report: OutgoingReport, _ attempt: AttemptContext
    ) async throws(NoAnswer) -> TransferRequest
    /// What an answer means. It asks nobody, and changes nothing but what the kind learns.
    func judge(_ answer: TransferAnswer, to report: OutgoingReport, _ attempt: AttemptContext) -> Judgement
}

extension DestinationKind {
    package static var usualEncoding: ReportEncoding { .gzip }
    package static var openQueryNames: Set<String> { [] }
    package static var hasTokensInPath: Bool { false }
    package static var ownProof: String? { nil }
    package static var unansweredRest: Int64? { nil }
    package var answerByteCount: Int? { nil }
    package var goesInParts: Bool { false }
    package static func setsHeader(_ name: String) -> Bool { HeaderRules.isReserved(name) }
    package func checkSurroundings() throws(ReportsError) {}
    package static var trialObjection: String? { nil }
    package var bodyContent: String { "the payload" }
    package var admissionTerms: String { Self.schemes.first ?? "" }
    package func admits(_ report: ReportOutline) -> Admission { .yes }
}

/// Whether a destination takes a report.
package enum Admission: Hashable, Sendable {
    case yes
    /// It never will; the text says why, as the end of a sentence about the destination.
    case no(String)
}

/// What the user says of a destination besides its endpoint.
package struct DestinationOptions: Sendable {
    /// The user's header fields, asked for at each attempt.
    package var headers: Destination.HeaderProvider = { [] }
    /// The form in which reports are sent; `nil` for the usual form of the kind.
    package var encoding: ReportEncoding?
    /// The proof of receipt that a 2xx answer has to contain; `nil` for the usual one of the kind.
    package var acknowledgement: Acknowledgement?

    package init() {}

    /// Asks for the user's header fields.
    func headerFields() async throws(NoAnswer) -> [(name: String, value: String)] {
        try await Self.asking("headers") { try await headers() }
    }

    /// Asks a closure of the program for something that is stored nowhere.
    static func asking<Answer: Sendable>(
        _ what: String, _ ask: @Sendable () async throws -> Answer
    ) async throws(NoAnswer) -> Answer {
        do {
            return try await OwnThreads.leave { try await ask() }
        } catch {
            // The program's own cancellation is none of this attempt.
            if Task.isCancelled { throw NoAnswer.interrupted }
            // The type only: the error's text may hold what must not be logged.
            throw NoAnswer.unprepared("the program could not provide the \(what) (\(type(of: error)))")
        }
    }
}

/// What a kind of destination is told of the attempt for which it makes a request or judges an answer.
package struct AttemptContext: Sendable {
    /// This machine's clock, in milliseconds since 1970.
    package var wall: Int64
    /// The name of this machine.
    package let host: String
    /// The changes that were made in this attempt, in their order.
    package var changes: [Change] = []
    /// Sends requests to services that give credentials: without a proxy, and with short time-outs.
    package let side: any Transport

    package init(wall: Int64, host: String, side: any Transport) {
        self.wall = wall
        self.host = host
        self.side = side
    }

    /// Whether a change of the same sort was made in this attempt.
    package func has(_ change: Change) -> Bool {
        changes.contains { $0.sort == change.sort }
    }

    /// The value of the last change of a sort.
    package func value(of sort: String) -> String? { changes.last { $0.sort == sort }?.value }
}
