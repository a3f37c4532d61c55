import Background
import Diagnosis
import DurableIO
import HTTPTypes

/// What the answers of a collector mean. OpenTelemetry's specification says which may be tried again; all others say
/// that the same record would be refused again.
extension OTLPDestination {
    func judge(_ answer: TransferAnswer, to report: OutgoingReport, _ attempt: AttemptContext) -> Judgement {
        let response = OTLPResponse(answer)
        var judgement = Judgement.http(
            answer, isSecure: endpoint.isSecure, proof: options.acknowledgement?.check(answer) ?? .notDemanded,
            at: attempt.wall)
        apply(response, answer, to: &judgement)
        judgement.receipt = receipt(of: answer, response, report, judgement)
        return judgement
    }

    private func apply(_ response: OTLPResponse, _ answer: TransferAnswer, to judgement: inout Judgement) {
        switch answer.status {
        case 200...299:
            guard judgement.disposition == .delivered else { return }
            if response.rejectedCount > 0 {
                judgement.disposition = .rejected
                judgement.isOfOneTransfer = true
                judgement.note = "the server answered \(answer.status) and refused the record"
                add(response.message, to: &judgement)
            } else if let doubt = response.doubt, options.acknowledgement == nil {
                judgement.disposition = .hold(.acknowledgement)
                judgement.note = "the server answered \(answer.status) \(doubt)"
            }
        case 404, 405:
            judgement.disposition = .hold(.destination)
            judgement.note = "the server answered \(answer.status): it takes no logs by OTLP at this address"
        case 429, 502, 503, 504: add(response.message, to: &judgement)
        default:
            // To these the specification adds: the client must not retry. A person may.
            if [.notNow, .wait].contains(judgement.disposition) {
                judgement.disposition = .rejected
                judgement.throttles = false
            }
            add(response.message, to: &judgement)
        }
    }

    private func add(_ message: String?, to judgement: inout Judgement) {
        judgement.note = [judgement.note, message].compactMap(\.self).joined(separator: ": ")
    }

    private func receipt(
        of answer: TransferAnswer, _ response: OTLPResponse, _ report: OutgoingReport, _ judgement: Judgement
    ) -> String {
        var object = JSONObject()
        object["status"] = JSONValue(answer.status)
        object["message"] = response.message.map { .string($0) }
        if let proof = options.acknowledgement?.proof(in: answer) {
            object["acknowledgement"] = .string(String(proof.prefix(1 << 10)))
        }
        let omissions = omissions(of: report)
        if !omissions.isEmpty { object["left_out"] = .array(omissions.map { .string($0) }) }
        return JSONValue.object(object).description
    }

    /// What the record of a report had not of its payload: nothing of it, only its beginning, or other characters for
    /// bytes that are no text.
    private func omissions(of report: OutgoingReport) -> [String] {
        let stored = report.stored
        guard payload != .whole, stored.size > 0 else { return [] }
        guard payload == .cut, OTLPPayloadPart.mayBeText(stored.properties) else { return ["payload"] }
        let isCut = stored.size > UInt64(OTLPPayload.maximumByteCount)
        let isRepaired = memory.wasRepaired(stored.id)
        return (isCut ? ["rest of payload"] : []) + (isRepaired ? ["bytes of payload"] : [])
    }
}
