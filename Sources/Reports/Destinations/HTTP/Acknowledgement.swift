import Background
import Diagnosis
import HTTPTypes

/// The proof of receipt that a server has to give in a 2xx answer. A 2xx answer without the proof is no delivery.
///
/// This is for servers behind something that may answer in their place: a load balancer's page, a proxy's login, a
/// catch-all site. A report whose answer lacks the proof is held. It is tried again after an hour, or at the next
/// explicit submit; a minidump at a collector of minidumps only after a day.
public struct Acknowledgement: Hashable, Sendable, CustomStringConvertible {
    private enum Place: Hashable, Sendable {
        case header(String)
        case json(String)
        case any
    }

    private let place: Place

    /// Demands a header field of that name with a value that is not empty.
    public static func header(_ name: String) -> Acknowledgement {
        Acknowledgement(place: .header(name))
    }

    /// Demands a value in the answer's JSON that is not `null`, `false` or an empty text. The answer may have at most
    /// 64 KiB.
    /// - Parameter pointer: The place of the value: the name of a member, or a JSON pointer such as `/receipt/id`
    ///   (RFC 6901).
    /// - Returns: The rule.
    public static func json(_ pointer: String) -> Acknowledgement {
        Acknowledgement(place: .json(pointer))
    }

    /// Takes every 2xx answer for a receipt, also where the protocol has a proof of its own: an answer of S3 need not
    /// have an `ETag`, and one of a collector of minidumps need not begin with `CrashID=`. A page that answers over
    /// plain HTTP from another machine counts as a portal all the same.
    public static let any = Acknowledgement(place: .any)

    private init(place: Place) {
        self.place = place
    }

    /// Reads `header:NAME`, `json:POINTER` or `any`, as it stands on the command line; `nil` for anything else.
    package init?(_ text: String) {
        guard text != "any" else {
            self = .any
            return
        }
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let rest = String(text[text.index(after: colon)...])
        switch text[..<colon] {
        case "header" where HeaderRules.isName(rest): place = .header(rest)
        case "json" where !rest.isEmpty: place = .json(rest)
        default: return nil
        }
    }

    /// The rule as text: `header:NAME`, `json:POINTER` or `any`.
    public var description: String {
        switch place {
        case .header(let name): "header:\(name)"
        case .json(let pointer): "json:\(pointer)"
        case .any: "any"
        }
    }

    /// Whether the proof is in the answer's body, which has to be JSON then.
    var isInBody: Bool {
        if case .json = place { true } else { false }
    }

    /// How much of the answer's body is needed, in bytes; `nil` for no more than is kept anyway.
    var answerByteCount: Int? {
        if case .json = place { 64 << 10 } else { nil }
    }

    /// What an answer is worth by this rule.
    func check(_ answer: TransferAnswer) -> Judgement.Proof {
        if case .any = place { return .notDemanded }
        return proof(in: answer) == nil ? .missing : .given
    }

    /// The proof; `nil` when there is none.
    func proof(in answer: TransferAnswer) -> String? {
        switch place {
        case .header(let name):
            guard let name = HTTPField.Name(name), let value = answer.fields[name], !value.isEmpty else { return nil }
            return value
        case .json(let pointer):
            guard let value = try? JSONValue.parse(answer.body), let found = value.value(at: pointer) else {
                return nil
            }
            return found.isProof ? found.stringValue ?? found.description : nil
        case .any: return nil
        }
    }
}

extension JSONValue {
    fileprivate var isProof: Bool {
        switch self {
        case .null, .bool(false), .string(""): false
        default: true
        }
    }

    /// By a member's name or by a JSON pointer (RFC 6901).
    fileprivate func value(at pointer: String) -> JSONValue? {
        guard pointer.hasPrefix("/") else { return self[pointer] }
        var value = self
        for token in pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            let name = String(token).replacing("~1", with: "/").replacing("~0", with: "~")
            guard let next = value[name] ?? value.element(at: name) else { return nil }
            value = next
        }
        return value
    }

    private func element(at position: String) -> JSONValue? {
        guard let elements = arrayValue, let index = Int(position), elements.indices.contains(index) else { return nil }
        return elements[index]
    }
}
