import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// The application behind a ``NIOResumableServer``: it takes each POST and PUT for a report, and knows of no uploads.
final class NIOReportApplication: ChannelInboundHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    private let rules: NIOResumableServer.Rules
    private let record: Monitor<ServerRecord>
    private var request: HTTPRequest?
    private var body: BodyRecord

    init(_ rules: NIOResumableServer.Rules, _ record: Monitor<ServerRecord>) {
        self.rules = rules
        self.record = record
        body = BodyRecord(keepsBytes: rules.keepsBodies)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): request = head
        case .body(let piece): piece.withUnsafeReadableBytes { body.append($0) }
        case .end:
            guard let request else { return }
            self.request = nil
            respond(answer(to: request), on: context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        abandon("\(error)")
    }

    func channelInactive(context: ChannelHandlerContext) {
        abandon("connection ended")
    }

    private func abandon(_ reason: String) {
        guard request != nil else { return }
        request = nil
        record.withLock { $0.abandoned.append(reason) }
    }

    private func answer(to request: HTTPRequest) -> ReportAnswer {
        switch request.method {
        case .options: return ReportAnswer(status: rules.optionsStatus)
        case .post, .put:
            let report = ReceivedReport(
                method: request.method.rawValue, target: request.path ?? "",
                headers: HeaderFields(request.headerFields), body: body.bytes, byteCount: body.byteCount,
                sha256: body.sha256)
            record.withLock { $0.reports.append(report) }
            return rules.application(report)
        default: return ReportAnswer(status: 405, headers: [("Allow", "POST, PUT")])
        }
    }

    private func respond(_ answer: ReportAnswer, on context: ChannelHandlerContext) {
        var response = HTTPResponse(status: HTTPResponse.Status(code: answer.status))
        for field in answer.headers {
            guard let name = HTTPField.Name(field.name) else { continue }
            response.headerFields.append(HTTPField(name: name, value: field.value))
        }
        if answer.status != 204 { response.headerFields[.contentLength] = "\(answer.body.count)" }
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        if !answer.body.isEmpty {
            context.write(wrapOutboundOut(.body(ByteBuffer(bytes: answer.body))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

/// Notes each request on a connection before the library sees it.
final class NIORequestLog: ChannelInboundHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    private let record: Monitor<ServerRecord>
    private let openConnections: Monitor<Int>
    private let connection: Int
    private var position = 0

    init(_ record: Monitor<ServerRecord>, _ openConnections: Monitor<Int>) {
        self.record = record
        self.openConnections = openConnections
        openConnections.withLock { $0 += 1 }
        connection = record.withLock { record in
            record.connectionCount += 1
            return record.connectionCount - 1
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        record.withLock { record in
            switch unwrapInboundIn(data) {
            case .head(let head):
                position = record.requests.count
                record.requests.append(
                    ReceivedRequest(
                        method: head.method.rawValue, target: head.path ?? "", version: "HTTP/1.1",
                        headers: HeaderFields(head.headerFields), connection: connection, index: position))
            case .body(let piece): record.requests[position].bodyByteCount += piece.readableBytes
            case .end: record.requests[position].isComplete = true
            }
        }
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // The library first: whoever waits for this is to find its uploads as they are afterwards.
        context.fireChannelInactive()
        openConnections.withLock { $0 -= 1 }
    }
}

extension HeaderFields {
    init(_ fields: HTTPFields) {
        self.init(fields.map { ($0.name.rawName, $0.value) })
    }
}
