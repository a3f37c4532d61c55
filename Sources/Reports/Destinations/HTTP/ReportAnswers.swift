import Background
import Diagnosis

/// What a server's answer to a report means, and what is kept of it.
enum ReportAnswers {
    /// - Parameters:
    ///   - answer: an answer to the whole report.
    ///   - rule: the proof of receipt that its destination has to give; `nil` where none is demanded.
    ///   - isSecure: whether it came over TLS.
    ///   - wall: this machine's clock, in milliseconds since 1970.
    ///   - omissions: what the request left out, for the receipt. The default is nothing.
    /// - Returns: the meaning, with the receipt.
    static func judge(
        _ answer: TransferAnswer, demanding rule: Acknowledgement?, isSecure: Bool, at wall: Int64,
        without omissions: [String] = []
    ) -> Judgement {
        var judgement = Judgement.http(
            answer, isSecure: isSecure, proof: rule?.check(answer) ?? .notDemanded, at: wall)
        judgement.receipt = receipt(of: answer, proof: rule?.proof(in: answer), without: omissions)
        return judgement
    }

    /// The answer's `Location`, its first KiB, the proof of receipt and what was left out, as JSON.
    private static func receipt(of answer: TransferAnswer, proof: String?, without omissions: [String]) -> String {
        var object = JSONObject()
        object["status"] = JSONValue(answer.status)
        object["location"] = JSONValue(answer.fields[.location])
        object["body"] =
            answer.body.isEmpty ? .null : .string(String(decoding: answer.body.prefix(1 << 10), as: UTF8.self))
        if let proof { object["acknowledgement"] = .string(String(proof.prefix(1 << 10))) }
        if !omissions.isEmpty { object["left_out"] = .array(omissions.map { .string($0) }) }
        return JSONValue.object(object).description
    }
}
