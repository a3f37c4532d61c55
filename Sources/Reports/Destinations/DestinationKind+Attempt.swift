import Background
import DurableIO

extension DestinationKind {
    /// Makes one attempt to send a report: one request, and one more for each change that an answer asks for.
    /// - Parameters:
    ///   - report: the report.
    ///   - context: what the kind is told of the attempt.
    ///   - clock: tells the time at which an answer came.
    ///   - exchange: sends a request.
    /// - Returns: the judged result of the last request.
    /// - Throws: ``NoAnswer`` when there is no request to send.
    func attempt(
        _ report: OutgoingReport, _ context: AttemptContext, clock: any SystemClock,
        exchange: (TransferRequest) async -> TransportResult
    ) async throws(NoAnswer) -> AttemptReport {
        var context = context
        while true {
            var request = try await self.request(for: report, context)
            request.answerByteCount = answerByteCount
            request.isSentOnce = Self.unansweredRest != nil
            let rest = Self.unansweredRest.map { UnansweredRest($0, of: &request) }
            let sent = await exchange(request)
            let result = rest?.added(to: sent) ?? sent
            context.wall = clock.wallMilliseconds
            let attempt = AttemptReport(result, at: context.wall) { [context] answer in
                let judgement = withoutTokens(judge(answer, to: report, context))
                return rest?.added(to: judgement, on: answer) ?? judgement
            }
            // Each sort of change once: two answers that contradict each other must not be obeyed for ever.
            guard let change = attempt.again, !context.has(change), !Task.isCancelled else {
                return attempt
            }
            context.changes.append(change)
        }
    }

    /// The same judgement, without the tokens of the endpoint's path in what is kept of the answer: servers repeat the
    /// address that they were asked for, in a redirect or on a page.
    private func withoutTokens(_ judgement: Judgement) -> Judgement {
        guard Self.hasTokensInPath else { return judgement }
        var judgement = judgement
        for token in TokenMask.tokens(in: endpoint.path.prefix { $0 != "?" }) {
            judgement.note = judgement.note?.replacing(token, with: "***")
            judgement.receipt = judgement.receipt?.replacing(token, with: "***")
        }
        return judgement
    }
}
