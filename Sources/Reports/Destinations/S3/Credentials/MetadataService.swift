import Background
import Diagnosis
import DurableIO
import HTTPTypes

/// A service of this machine that gives temporary access keys, asked without a proxy. No redirect is followed, and at
/// most 64 KiB of an answer are read.
struct MetadataService: Sendable {
    /// What it is called in messages.
    let name: String
    let side: any Transport
    /// How long one request may take.
    let limit: Duration
    let clock: any SystemClock

    private static let maximumByteCount = 64 << 10

    /// Asks for something.
    /// - Returns: the body of an answer with status 200.
    func get(_ endpoint: Endpoint, _ fields: HTTPFields) async throws(AccessKeyProblem) -> [UInt8] {
        try await ask(TransferRequest(endpoint: endpoint, method: .get, fields: fields))
    }

    func ask(_ request: TransferRequest) async throws(AccessKeyProblem) -> [UInt8] {
        var request = request
        request.fields[.userAgent] = "Reports/\(ReportsVersion.current)"
        request.answerByteCount = Self.maximumByteCount + 1
        request.followsRedirects = false
        switch await bounded(request) {
        case .answer(let answer), .postponed(let answer):
            guard answer.status == 200 else { throw .unavailable("\(name) answered \(answer.status)") }
            guard answer.body.count <= Self.maximumByteCount else {
                throw .unavailable("\(name) answered with more than 64 KiB")
            }
            return answer.body
        case .noAnswer(.interrupted): throw .interrupted
        case .noAnswer(let trouble): throw .unavailable("\(name) did not answer: \(trouble.text)")
        case nil:
            guard !Task.isCancelled else { throw .interrupted }
            throw .unavailable("\(name) did not answer within \(limit.components.seconds) s")
        }
    }

    /// - Returns: `nil` when the answer takes too long.
    private func bounded(_ request: TransferRequest) async -> TransportResult? {
        await withTaskGroup(of: TransportResult?.self) { group in
            group.addTask { [side] in await side.send(request) }
            group.addTask { [clock, limit] in
                try? await clock.sleep(milliseconds: limit.wholeMilliseconds)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }

    /// Reads the key that both services give in the same form.
    func accessKey(_ body: [UInt8]) throws(AccessKeyProblem) -> S3AccessKey {
        guard let json = try? JSONValue.parse(body), let id = json["AccessKeyId"]?.stringValue,
            let secret = json["SecretAccessKey"]?.stringValue
        else { throw .unavailable("\(name) answered without an access key") }
        var key = S3AccessKey(id: id, secret: secret, sessionToken: json["Token"]?.stringValue)
        key.expiresAt = json["Expiration"]?.stringValue.flatMap { Moment.milliseconds($0) }
        guard key.isUsable else { throw .unavailable("\(name) answered with an access key that is none") }
        return key
    }
}
