import AsyncHTTPClient
import HTTPTypes
import NIOCore
import NIOHTTP1

/// Requests and answers in the client's form and in the engine's.
extension HTTPTransport {
    func clientRequest(_ request: TransferRequest, by route: Route) -> HTTPClientRequest {
        let endpoint = request.endpoint
        var outgoing = HTTPClientRequest(url: endpoint.description)
        if case .forward(let proxy) = route {
            // The connection is the proxy's, and the name in the request the server's.
            outgoing.url = "http://\(proxy.urlHost):\(proxy.port)\(endpoint.path)"
            outgoing.headers.add(name: ProxyForm.authorityField, value: endpoint.authority)
            if request.fields[.host] == nil { outgoing.headers.add(name: "host", value: endpoint.authority) }
        }
        outgoing.method = HTTPMethod(rawValue: request.method.rawValue)
        if endpoint.isSecure { outgoing.tlsConfiguration = tls.renewed }
        for field in request.fields { outgoing.headers.add(name: field.name.rawName, value: field.value) }
        return outgoing
    }

    func answer(
        _ response: HTTPClientResponse, to request: TransferRequest, _ text: [UInt8], bytesSent: UInt64
    ) -> TransferAnswer {
        var fields = HTTPFields()
        for header in response.headers {
            guard let name = HTTPField.Name(header.name) else { continue }
            fields.append(HTTPField(name: name, value: header.value))
        }
        var answer = TransferAnswer(
            status: Int(response.status.code), fields: fields, body: text, bytesSent: bytesSent,
            isWholeBodySent: bytesSent >= request.bodyByteCount, isLoopback: request.endpoint.isLoopback)
        answer.endpoint = request.endpoint
        return answer
    }

    /// The beginning of a body that the verdict depends on: one that breaks off is no answer.
    private func wantedText(
        _ response: HTTPClientResponse, limit: Int, on executor: LoopExecutor
    ) async throws -> [UInt8] {
        let text: [UInt8]? = try await executor.run(forAtMost: .seconds(timeouts.progress)) {
            var bytes: [UInt8] = []
            for try await part in response.body {
                bytes += part.readableBytesView.prefix(limit - bytes.count)
                if bytes.count >= limit { break }
            }
            try Task.checkCancellation()
            return bytes
        }
        guard let text else { throw StalledError() }
        return text
    }

    /// The beginning of the answer's body. A short rest is read away, so that the connection can be used again; an
    /// endless one is left, and costs the connection.
    func receipt(
        _ response: HTTPClientResponse, limit: Int?, on executor: LoopExecutor
    ) async throws -> [UInt8] {
        if response.headers.first(name: "content-length") == "0" {
            // Nothing to wait for; but a body that is let go before its end has been seen costs the connection.
            do { for try await _ in response.body {} } catch {}
            return []
        }
        if let limit { return try await wantedText(response, limit: limit, on: executor) }
        let limit = Self.receiptByteCount
        let text: [UInt8]? = try? await executor.run(forAtMost: .seconds(timeouts.answerBody)) {
            var bytes: [UInt8] = []
            var count = 0
            do {
                for try await var part in response.body {
                    count += part.readableBytes
                    let wanted = min(limit - bytes.count, part.readableBytes)
                    bytes += part.readBytes(length: wanted) ?? []
                    if count > 64 << 10 { break }
                }
            } catch {
                // The head is the answer; what is missing of its text is no reason to send again.
            }
            return bytes
        }
        return text ?? []
    }
}
