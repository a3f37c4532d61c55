import Foundation
import Hummingbird

/// The endpoints, and what each of them answers.
struct Routes: Sendable {
    let receiver: ReportReceiver
    let store: ReportStore
    let script: AnswerScript
    let log: RequestLog

    func makeRouter() -> Router<BasicRequestContext> {
        let router = Router()
        router.add(middleware: RequestRecorder(log: log))
        router.put("reports/{id}") { request, context in
            try await answer(request, pathID: context.parameters.require("id"))
        }
        router.post("reports") { request, _ in
            try await answer(request, pathID: nil)
        }
        router.get("reports") { _, _ in
            try Response.json(store.reports())
        }
        router.get("reports/{id}") { _, context in
            try await payload(of: context.parameters.require("id"), context: context)
        }
        router.get("requests") { _, _ in
            try Response.json(log.summary())
        }
        router.get("script") { _, _ in
            try Response.json(script.remaining())
        }
        router.put("script") { request, _ in
            let body = try await request.body.collect(upTo: 1 << 20)
            try script.replace(with: AnswerScript.parse(Data(body.readableBytesView)))
            return try Response.json(script.remaining())
        }
        return router
    }

    /// Answers one report as the script says, or, without one, by what became of it.
    private func answer(_ request: Request, pathID: String?) async throws -> Response {
        if let entry = script.next(), !entry.isOrdinary {
            if entry.early != true {
                for try await _ in request.body {}
            }
            return entry.response
        }
        let outcome = try await receiver.receive(request, pathID: pathID)
        var response = try Response.json(outcome.report, status: outcome.isNew ? .created : .ok)
        response.headers[.location] = "/reports/\(outcome.report.id)"
        return response
    }

    private func payload(of id: String, context: BasicRequestContext) async throws -> Response {
        guard ReportStore.isIdentifier(id) else { throw Problem.invalidIdentifier(id) }
        guard let report = store.report(id) else {
            throw Problem(status: .notFound, check: "id", detail: "No report has this id.")
        }
        let body = try await FileIO().loadFile(path: store.payloadPath(id), context: context)
        // The content is a stranger's: a browser must neither guess at it nor run it.
        var response = Response(status: .ok, headers: [.contentDisposition: "attachment"], body: body)
        response.headers[.contentType] = report.contentType
        response.headers[.xContentTypeOptions] = "nosniff"
        return response
    }
}

/// Why a request was refused, as the JSON that RFC 9457 describes, with the name of the check that failed.
struct Problem: Error {
    var status: HTTPResponse.Status
    /// One of `id`, `idempotency-key`, `content-length`, `content-encoding`, `repr-digest`, `gzip`, `unencoded-digest`,
    /// `report-annotations`, `size`, `script`, `storage`.
    var check: String
    var detail: String

    init(status: HTTPResponse.Status = .badRequest, check: String, detail: String) {
        self.status = status
        self.check = check
        self.detail = detail
    }

    static func invalidIdentifier(_ id: String) -> Problem {
        Problem(check: "id", detail: "An id is 64 lower-case hexadecimal digits, not \"\(id.prefix(80))\".")
    }
}

extension Problem: CustomStringConvertible {
    var description: String { "\(check): \(detail)" }
}

extension Problem: HTTPResponseError {
    private struct Body: Encodable {
        var title: String
        var status: Int
        var check: String
        var detail: String
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        let body = Body(title: status.reasonPhrase, status: status.code, check: check, detail: detail)
        var response = try Response.json(body, status: status)
        response.headers[.contentType] = "application/problem+json"
        return response
    }
}

extension Response {
    /// An answer whose body is `value` as JSON, with the keys in order.
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = try encoder.encode(value) + Data("\n".utf8)
        return Response(
            status: status,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
