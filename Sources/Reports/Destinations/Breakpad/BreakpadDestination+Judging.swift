import Background
import Diagnosis
import DurableIO
import HTTPTypes

/// What the answers of a collector of minidumps mean. It says in the first line of the body what it has done, and a
/// refusal may have the status 200.
extension BreakpadDestination {
    func judge(_ answer: TransferAnswer, to report: OutgoingReport, _ attempt: AttemptContext) -> Judgement {
        let line = FirstLine(answer.body)
        var judgement = basic(answer, line, at: attempt.wall)
        judgement.receipt = receipt(of: answer, line)
        guard ![.hold(.portal), .hold(.tls)].contains(judgement.disposition) else { return judgement }
        switch answer.status {
        case 404, 405:
            judgement.disposition = .hold(.destination)
            judgement.note = "the server answered \(answer.status): no collector of minidumps is at this address"
        case 200...299 where line.discard != nil, 400 where line.discard != nil:
            judgement.disposition = .rejected
            // A rule about the product or the sampling is no trouble of the collector. A 400 is about our form.
            judgement.isOfOneTransfer = answer.status != 400
            judgement.note = "the server answered \(answer.status) and discarded it: \(line.discard ?? "")"
        case 400...599:
            // For example why it does not take the sender for one of its own.
            judgement.note = [judgement.note, line.discard].compactMap(\.self).joined(separator: ": ")
        default: break
        }
        return judgement
    }

    /// The meaning by status. A 2xx counts only with the id of the crash, or with what the user demands instead.
    private func basic(_ answer: TransferAnswer, _ line: FirstLine, at wall: Int64) -> Judgement {
        let proof = options.acknowledgement?.check(answer) ?? (line.crashID == nil ? .missing : .given)
        return .http(answer, isSecure: endpoint.isSecure, proof: proof, at: wall)
    }

    private func receipt(of answer: TransferAnswer, _ line: FirstLine) -> String {
        var object = JSONObject()
        object["status"] = JSONValue(answer.status)
        object["crash_id"] = (line.crashID ?? line.bareID).map { .string($0) }
        if let proof = options.acknowledgement?.proof(in: answer) {
            object["acknowledgement"] = .string(String(proof.prefix(1 << 10)))
        }
        object["body"] =
            answer.body.isEmpty ? .null : .string(String(decoding: answer.body.prefix(1 << 10), as: UTF8.self))
        return JSONValue.object(object).description
    }
}

/// The first line of a collector's answer: `CrashID=ID` where it has the dump, `Discarded=REASON` where it does not want
/// it, and only the id at collectors of Crashpad.
private struct FirstLine {
    /// The collector's name for the report.
    let crashID: String?
    /// The whole line, where it may be an id.
    let bareID: String?
    /// Why the collector did not keep it.
    let discard: String?

    init(_ body: [UInt8]) {
        let line = body.prefix { $0 != 0x0a && $0 != 0x0d }
        crashID = Self.value(of: "CrashID=", in: line)
        discard = Self.value(of: "Discarded=", in: line)
        bareID = Self.isID(line) ? String(decoding: line, as: UTF8.self) : nil
    }

    private static func value(of name: String, in line: ArraySlice<UInt8>) -> String? {
        guard line.starts(with: name.utf8) else { return nil }
        let text = String(decoding: line.dropFirst(name.utf8.count).prefix(maximumByteCount), as: UTF8.self)
        let value = "\(QuotedText(text, limit: maximumByteCount))"
        return value.isEmpty ? nil : value
    }

    private static func isID(_ line: ArraySlice<UInt8>) -> Bool {
        (8...maximumByteCount).contains(line.count)
            && line.allSatisfy { $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "-") }
    }

    /// Of an id or a reason: a UUID has 36.
    private static let maximumByteCount = 60
}
