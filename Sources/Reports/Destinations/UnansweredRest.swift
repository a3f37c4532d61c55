import Background
import Synchronization

/// The wait that one request leaves behind at a server which takes a second copy of a report for another report.
///
/// It is for the ends after which nobody knows whether the server has the report. It is in memory only: after a crash
/// the report is sent again without it.
final class UnansweredRest: Sendable {
    /// In milliseconds.
    private let rest: Int64
    private let byteCount: UInt64
    private let sentByteCount = Mutex<UInt64>(0)

    /// How long a report rests that the server has accepted without the proof of receipt, in milliseconds: a day. The
    /// server most likely has it, and does not say so in the expected words.
    private static let withoutProof: Int64 = 24 * 3_600_000

    /// Begins to count what is sent of a request.
    /// - Parameters:
    ///   - rest: how long a report rests at least, in milliseconds.
    ///   - request: the request, which then reports its progress to this value.
    init(_ rest: Int64, of request: inout TransferRequest) {
        self.rest = rest
        byteCount = request.bodyByteCount
        request.onProgress = { [onProgress = request.onProgress] byteCount in
            self.sentByteCount.withLock { $0 = byteCount }
            onProgress?(byteCount)
        }
    }

    /// The same result, with the rest if all of the request was sent and no answer came.
    func added(to result: TransportResult) -> TransportResult {
        switch result {
        case .noAnswer(.failure(var failure)) where failure.didConnect && failure.bytesSent >= byteCount:
            failure.rest = rest
            return .noAnswer(.failure(failure))
        case .noAnswer(.interrupted):
            let bytesSent = sentByteCount.withLock(\.self)
            guard bytesSent >= byteCount else { return result }
            var failure = TransportFailure(
                "interrupted when all of it had been sent", didConnect: true, bytesSent: bytesSent)
            failure.rest = rest
            failure.isInterruption = true
            return .noAnswer(.failure(failure))
        default: return result
        }
    }

    /// The same judgement, with a rest if the answer to the whole request leaves open whether the server has it.
    func added(to judgement: Judgement, on answer: TransferAnswer) -> Judgement {
        guard answer.isWholeBodySent else { return judgement }
        var judgement = judgement
        switch judgement.disposition {
        case .hold(.acknowledgement): judgement.rest = Self.withoutProof
        case .notNow where ResponseDisposition.leavesOutcomeOpen(status: answer.status): judgement.rest = rest
        default: break
        }
        return judgement
    }
}
