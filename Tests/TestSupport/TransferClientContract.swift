package import Background
import HTTPTypes

/// What the queue relies on in each of its clients, whatever they send: a table of all that a transport may come back
/// with, and what the client has to report of it.
package struct TransferClientContract: Sendable {
    package let client: any TransferClient
    /// A transfer that the client can send again and again.
    package let claim: Claim
    /// What no report may hold: the value of a header that goes with the request.
    package let secret: String?

    /// The field by which a server proves to this client that it has received a transfer, where that is demanded.
    package var proof: (name: String, value: String)?

    package init(_ client: any TransferClient, claim: Claim, secret: String? = nil) {
        self.client = client
        self.claim = claim
        self.secret = secret
    }

    /// - Returns: what the client does otherwise, in words; empty for one that keeps to all of it.
    package func violations() async -> [String] {
        var violations: [String] = []
        for status in Self.statuses {
            for retryAfter in [nil, 60] as [Int?] {
                violations += await check(status, retryAfter: retryAfter)
            }
        }
        violations += await checkHalfBody()
        for trouble in Self.troubles { violations += await check(trouble) }
        violations += await checkCancellation()
        violations += await checkSettling()
        return violations
    }

    // MARK: - Answers

    private static let statuses = [
        200, 307, 401, 403, 407, 409, 413, 415, 422, 425, 429, 500, 501, 503, 507, 511, 525, 599, 600,
    ]

    private func check(_ status: Int, retryAfter: Int?) async -> [String] {
        var fields = [proof].compactMap(\.self)
        if let retryAfter { fields.append(("Retry-After", "\(retryAfter)")) }
        let report = await attempt(.status(status, headers: fields, text: "what the server says"))
        let expected = ResponseDisposition.of(
            status: status, contentType: nil, isPlainHTTP: true, isLoopbackHost: true)
        guard case .answer(let judgement) = report.outcome else {
            return ["\(status): \(report.outcome) is not an answer"]
        }
        return Self.unmet([
            ("\(status) means \(judgement.disposition)", judgement.disposition == expected),
            (
                "\(status) asks to wait \(String(describing: judgement.retryAfter))",
                judgement.retryAfter == retryAfter.map { Int64($0) * 1_000 }
            ),
            ("\(status) is reported as \(String(describing: report.status))", report.status == status),
            ("\(status) lacks words, or has some that are not true", (report.error == nil) == (expected == .delivered)),
            ("\(status) counts as delivered", report.isDelivered == (expected == .delivered)),
            ("\(status) lets the next go", report.letsNextGo == (expected == .delivered && retryAfter == nil)),
            (
                "\(status) throttles: \(judgement.throttles)",
                judgement.throttles == (retryAfter != nil || [429, 503].contains(status))
            ),
            ("\(status) tells a secret", !tellsSecret(report)),
        ])
    }

    /// A 2xx that comes before all of the body has gone out says nothing about the whole.
    private func checkHalfBody() async -> [String] {
        var violations: [String] = []
        for fields in proof.map({ [[$0], []] }) ?? [[]] {
            let transport = Once { _ in .status(200, headers: fields, isWholeBodySent: false) }
            let report = await client.attempt(claim, over: transport)
            // A transfer without a body has no half of one.
            guard transport.hadBody else { break }
            violations += Self.unmet([
                ("half a body is \(report.outcome)", !report.isDelivered && report.status == 200),
                (
                    "half a body is told as \(report.error ?? "nothing")",
                    report.error == "the server answered before it had the whole body"
                ),
            ])
        }
        return violations
    }

    // MARK: - No answer

    private static let troubles: [NoAnswer] = [
        .failure(TransportFailure("connection refused", didConnect: false, bytesSent: 0)),
        .failure(TransportFailure("connection lost", didConnect: true, bytesSent: 3)),
        .untrusted("the certificate has expired"), .unsendable("the stored file is damaged"),
        .failedRead("input/output error"), .missing, .localTrouble("too many open files"),
        .unprepared("the headers could not be had"), .withheld("nobody knows its request"), .interrupted,
    ]

    private func check(_ trouble: NoAnswer) async -> [String] {
        let report = await attempt(.noAnswer(trouble))
        return Self.unmet([
            ("\(trouble) becomes \(report.outcome)", report.outcome == .noAnswer(trouble)),
            ("\(trouble) is told as \(report.error ?? "nothing")", report.error == trouble.text),
            ("\(trouble) has a status", report.status == nil && report.receipt == nil),
            ("\(trouble) has sent \(report.bytesSent) bytes", report.bytesSent == trouble.bytesSent),
            ("\(trouble) tells a secret", !tellsSecret(report)),
        ])
    }

    private func checkCancellation() async -> [String] {
        let transport = Once { _ in
            // Until the task is cancelled: nothing else opens this gate.
            await Gate().wait()
            return .noAnswer(.interrupted)
        }
        let attempt = Task {
            defer { transport.end() }
            return await client.attempt(claim, over: transport)
        }
        guard await transport.wasAsked() else { return ["it asked for nothing"] }
        attempt.cancel()
        let report = await attempt.value
        return Self.unmet([("a cancelled attempt is \(report.outcome)", report.outcome == .noAnswer(.interrupted))])
    }

    // MARK: - Afterwards

    /// A crash after a commit makes the queue tell of it again, and what is settled may be asked for once more.
    private func checkSettling() async -> [String] {
        let settlement = Settlement(
            claim: claim, verdict: Verdict(.delivered), endedWall: claim.record.firstSeenWall, status: 200, error: nil,
            bytesSent: 0, retryAfter: nil, receipt: nil, answer: nil, acceptedMark: 0)
        await client.didSettle([])
        await client.didSettle([settlement])
        await client.didSettle([settlement])
        var violations: [String] = []
        do { try client.mayGoOn() } catch { violations.append("it may not go on: \(error)") }
        let report = await attempt(.refused)
        if report.isDelivered { violations.append("what is settled is delivered once more") }
        return violations
    }

    // MARK: - Steps

    private func attempt(_ result: TransportResult) async -> AttemptReport {
        await client.attempt(claim, over: Once { _ in result })
    }

    private func tellsSecret(_ report: AttemptReport) -> Bool {
        guard let secret else { return false }
        var texts = [report.error, report.receipt, report.answer?.text]
        switch report.outcome {
        case .answer(let judgement): texts += [judgement.note, judgement.receipt]
        case .noAnswer(let trouble): texts.append(trouble.text)
        case .postponed: break
        }
        return texts.contains { $0?.contains(secret) == true }
    }

    private static func unmet(_ facts: [(words: String, holds: Bool)]) -> [String] {
        facts.filter { !$0.holds }.map(\.words)
    }
}

/// Answers every request in one way, with some content where that is what the request is for.
private final class Once: Transport {
    private struct State: Sendable {
        var isAsked = false
        var hadBody = false
        var isOver = false
    }
    private let state = Monitor(State())
    private let answer: @Sendable (TransferRequest) async -> TransportResult

    init(_ answer: @escaping @Sendable (TransferRequest) async -> TransportResult) {
        self.answer = answer
    }

    var hadBody: Bool { state.value.hadBody }

    /// Waits until something is sent, or the attempt ends without.
    func wasAsked() async -> Bool {
        await state.wait { $0.isAsked || $0.isOver }
        return state.value.isAsked
    }

    func end() { state.withLock { $0.isOver = true } }

    func send(_ request: TransferRequest) async -> TransportResult {
        state.withLock { state in
            state.isAsked = true
            state.hadBody = state.hadBody || request.body != nil
        }
        let result = await answer(request)
        guard let sink = request.sink, case .answer(let head) = result, head.status == 200 else { return result }
        do {
            if try await sink.wants(head) { try await sink.write(Array("content".utf8)) }
            return result
        } catch {
            return .noAnswer(.localTrouble("\(error)"))
        }
    }

    func shutdown() async {}
}
