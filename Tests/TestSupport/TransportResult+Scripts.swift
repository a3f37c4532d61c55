package import Background
import HTTPTypes

extension TransportResult {
    /// An answer to a request that was sent completely.
    package static func status(
        _ status: Int, headers: [(name: String, value: String)] = [], text: String = "", isWholeBodySent: Bool = true
    ) -> TransportResult {
        var fields = HTTPFields()
        for header in headers {
            guard let name = HTTPField.Name(header.name) else { continue }
            fields.append(HTTPField(name: name, value: header.value))
        }
        return .answer(
            TransferAnswer(
                status: status, fields: fields, body: Array(text.utf8), bytesSent: isWholeBodySent ? 5 : 1,
                isWholeBodySent: isWholeBodySent, isLoopback: true))
    }

    /// Nobody listens there.
    package static var refused: TransportResult {
        .noAnswer(.failure(TransportFailure("connection refused", didConnect: false, bytesSent: 0)))
    }

    /// The connection broke after the request was sent.
    package static var lost: TransportResult {
        .noAnswer(.failure(TransportFailure("connection lost", didConnect: true, bytesSent: 5, isConnectionLost: true)))
    }
}
