import Background
import Diagnosis
import DurableIO
import HTTPTypes

/// What the answers of a Sentry server mean.
extension SentryDestination {
    func judge(_ answer: TransferAnswer, to report: OutgoingReport, _ attempt: AttemptContext) -> Judgement {
        let id = eventID(in: answer)
        var judgement = basic(answer, id, at: attempt.wall)
        judgement.receipt = receipt(of: answer, id, to: report, attempt)
        guard ![.hold(.portal), .hold(.tls)].contains(judgement.disposition) else { return judgement }
        // Those that may go without a payload go on.
        judgement.retryAfter = SentryRateLimits.wait(
            in: answer, retryAfter: judgement.retryAfter, needsAttachments: attachments == .whole)
        judgement.throttles = ResponseDisposition.closesOriginUntilDue(
            status: answer.status, retryAfter: judgement.retryAfter)
        switch answer.status {
        case 404, 405:
            // No server of Sentry's says this of an event: the path is another one's.
            judgement.disposition = .hold(.destination)
            judgement.note = "the server answered \(answer.status): there is no such project, or no Sentry server"
        case 413 where attachments == .omit && hasAttachment(report.stored, attempt):
            judgement.again = .withoutAttachment
        case 400...599:
            judgement.note = [judgement.note, words(of: answer)].compactMap(\.self).joined(separator: ": ")
            if answer.status == 413, hasAttachment(report.stored, attempt) {
                judgement.note? += "; with attachments=omit in its endpoint the event goes without the payload"
            }
        default: break
        }
        return judgement
    }

    /// The meaning by status. A 2xx counts only with the id of an event, which all servers send: another site at the
    /// same address must not cost the bytes.
    private func basic(_ answer: TransferAnswer, _ id: String?, at wall: Int64) -> Judgement {
        let proof = options.acknowledgement?.check(answer) ?? (id == nil ? .missing : .given)
        return .http(answer, isSecure: endpoint.isSecure, proof: proof, at: wall)
    }

    /// The id of the event. Some servers write it with dashes, and not all say the one that was sent.
    private func eventID(in answer: TransferAnswer) -> String? {
        let id = (try? JSONValue.parse(answer.body))?["id"]?.stringValue?.replacing("-", with: "")
        return id.flatMap { $0.isEmpty || $0.utf8.count > 64 ? nil : "\(QuotedText(dsn.masked($0), limit: 64))" }
    }

    /// What the server says of the trouble, in its own words: of an answer that is text, and no page.
    private func words(of answer: TransferAnswer) -> String? {
        let body = String(validating: answer.body, as: UTF8.self) ?? ""
        let line = body.split(whereSeparator: \.isNewline).first { !$0.allSatisfy(\.isWhitespace) }
        let isText = line.map { !$0.contains("<") && !$0.hasPrefix("{") } ?? false
        let detail = (try? JSONValue.parse(answer.body))?["detail"]?.stringValue
        let text = detail ?? answer.fields[.sentryError] ?? (isText ? line.map(String.init) : nil)
        guard let text, !text.isEmpty else { return nil }
        // Masked before it is cut, or a part of the key would be left.
        return "\(QuotedText(dsn.masked(text), limit: 110))".beginning(byteCount: 110)
    }

    /// The id of the event, whether its payload was left out, and whether the server says that it takes none now. Never
    /// the body, which may repeat the key.
    private func receipt(
        of answer: TransferAnswer, _ id: String?, to report: OutgoingReport, _ attempt: AttemptContext
    ) -> String {
        var object = JSONObject()
        object["status"] = JSONValue(answer.status)
        object["event_id"] = id.map { .string($0) }
        if !hasAttachment(report.stored, attempt) {
            object["left_out"] = .array([.string("attachment")])
        } else if SentryRateLimits.limitsAttachments(in: answer) {
            object["rate_limited"] = .array([.string("attachments")])
        }
        return JSONValue.object(object).description
    }
}

extension HTTPField.Name {
    fileprivate static let sentryError = known("X-Sentry-Error")
}
