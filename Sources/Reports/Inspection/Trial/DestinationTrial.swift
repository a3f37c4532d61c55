import Background
import DurableIO

/// A trial of one destination: its connection, the request of a report, and, if that is asked for, one report.
///
/// It asks and changes neither ledger nor gates, needs no spool, and works beside an owner. Without a report to send,
/// nothing of it stays anywhere.
struct DestinationTrial: Sendable {
    let name: String
    private let kind: any DestinationKind
    private let connections: NamedConnections
    private let ownNames: Set<String>
    private let shownEndpoint: String?
    private let clock: any SystemClock

    /// - Parameters:
    ///   - name: the destination's name, by which the connections know it.
    ///   - kind: the protocol's side of it.
    ///   - connections: how it is reached.
    ///   - ownNames: the names of the header fields that the user has set for it.
    ///   - shownEndpoint: its endpoint as people may see it.
    ///   - clock: the time that its report and its request tell.
    init(
        name: String, kind: any DestinationKind, connections: NamedConnections, ownNames: Set<String>,
        shownEndpoint: String? = nil, clock: any SystemClock = LinuxClock()
    ) {
        self.name = name
        self.kind = kind
        self.connections = connections
        self.ownNames = ownNames
        self.shownEndpoint = shownEndpoint
        self.clock = clock
    }

    /// Why no report may be sent to it, as the end of a sentence about the destination; `nil` if one may.
    var objection: String? { type(of: kind).trialObjection }

    /// Tries the destination.
    /// - Parameter sends: whether a report is sent if the connection can be made.
    /// - Returns: what it showed.
    func run(sends: Bool) async -> TrialResult {
        let findings = await connections.probe(kind.endpoint, by: name)
        let context = AttemptContext(
            wall: clock.wallMilliseconds, host: CurrentProcess.hostName, side: connections.side)
        do throws(NoAnswer) {
            try checkSurroundings()
            let report = try Self.sample(context)
            let request = MaskedRequest(
                try await kind.request(for: report, context), ownNames: ownNames,
                hidesTokens: type(of: kind).hasTokensInPath, besides: report.stored.id.hex)
            let verdict = TrialResult.Verdict(findings.problem)
            var result = result(findings, .success(request), verdict)
            guard sends else { return result }
            if let omission = omission(report, findings) {
                result.omission = omission
            } else {
                await sendSample(report, context, request, &result)
            }
            return result
        } catch {
            return result(findings, .failure(error), max(TrialResult.Verdict(findings.problem), .init(error)))
        }
    }

    private func checkSurroundings() throws(NoAnswer) {
        do {
            try kind.checkSurroundings()
        } catch {
            throw NoAnswer.withheld(error.message)
        }
    }

    private static func sample(_ context: AttemptContext) throws(NoAnswer) -> OutgoingReport {
        var generator = SystemRandomNumberGenerator()
        do {
            return try SampleReport.make(wall: context.wall, host: context.host, using: &generator)
        } catch {
            throw NoAnswer.localTrouble("the test report could not be made: \(error)")
        }
    }

    private func result(
        _ findings: ConnectionFindings, _ request: Result<MaskedRequest, NoAnswer>, _ verdict: TrialResult.Verdict
    ) -> TrialResult {
        let (schemes, own) = (type(of: kind).schemes, kind.endpoint.scheme)
        let scheme = schemes.first { $0 == own || $0.hasSuffix("+" + own) } ?? schemes.first ?? own
        return TrialResult(
            name: name, scheme: scheme, gateKey: kind.gateKey, endpoint: shownEndpoint, findings: findings,
            request: request, bodyContent: kind.bodyContent, verdict: verdict)
    }

    private func omission(_ report: OutgoingReport, _ findings: ConnectionFindings) -> String? {
        if findings.problem != nil { return "there is no connection" }
        if let objection { return "the destination \(objection)" }
        if case .no(let reason) = kind.admits(ReportOutline(report.stored)) { return "the destination \(reason)" }
        return nil
    }

    private func sendSample(
        _ report: OutgoingReport, _ context: AttemptContext, _ request: MaskedRequest, _ result: inout TrialResult
    ) async {
        let attempt: AttemptReport
        do throws(NoAnswer) {
            attempt = try await kind.attempt(report, context, clock: clock) { request in
                var request = request
                request.connection = name
                return await connections.send(request)
            }
        } catch {
            attempt = AttemptReport(error)
        }
        let (state, reason, verdict) = Self.meaning(of: attempt)
        result.sent = TrialResult.Sent(
            id: report.stored.id.hex, url: request.url, status: attempt.status, state: state, reason: reason,
            error: attempt.error.map(request.masking), receipt: attempt.receipt.map(request.masking))
        result.verdict = max(result.verdict, verdict)
    }

    /// The state that a report would be in after this attempt, were it in a spool.
    private static func meaning(
        of attempt: AttemptReport
    ) -> (state: String, reason: String?, verdict: TrialResult.Verdict) {
        switch attempt.outcome {
        case .postponed: return ("waiting", WaitReason.retryAfter.rawValue, .notNow)
        case .noAnswer(.untrusted): return ("held", HoldReason.tls.rawValue, .misconfigured)
        case .noAnswer(let trouble):
            let reason: WaitReason = trouble.concernsOrigin ? .unreachable : .local
            return ("waiting", reason.rawValue, TrialResult.Verdict(trouble))
        case .answer(let judgement):
            let verdict = TrialResult.Verdict(judgement.disposition)
            switch judgement.disposition {
            case .delivered: return ("delivered", nil, verdict)
            case .hold(let reason): return ("held", reason.rawValue, verdict)
            case .rejected:
                let reason = judgement.rejection == .rejected ? nil : judgement.rejection.rawValue
                return ("rejected", reason, verdict)
            case .wait, .notNow:
                let reason: WaitReason = judgement.retryAfter == nil ? .unreachable : .retryAfter
                return ("waiting", reason.rawValue, verdict)
            }
        }
    }
}
