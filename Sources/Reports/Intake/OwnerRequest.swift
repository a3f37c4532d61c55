package import DurableIO

/// What a process that is not the owner asks of it: a small file in `collected/`, acted on exactly once.
package struct OwnerRequest: Hashable, Sendable {
    package enum Action: String, Sendable {
        case retry
        case remove
    }

    package let action: Action
    /// 64 hexadecimal digits; `nil` is all that are parked or held.
    package let id: String?
    /// Milliseconds since the epoch. Older than the report's last appearance, a `remove` is void.
    package let filedAt: Int64

    package init(_ action: Action, id: String?, filedAt: Int64) {
        self.action = action
        self.id = id
        self.filedAt = filedAt
    }

    private static let suffix = ".request"

    package static func isRequest(_ name: EntryName) -> Bool { name.hasSuffix(suffix) }

    /// The name is the nonce by which an effect is remembered.
    package static func newName() -> EntryName { ReportSpool.uniqueName(suffix: suffix) }

    package var bytes: [UInt8] {
        var object = JSONObject()
        object["action"] = .string(action.rawValue)
        object["id"] = JSONValue(id)
        object["filed_at"] = .integer(filedAt)
        return JSONValue.object(object).utf8Bytes
    }

    package init?(bytes: [UInt8]) {
        guard let json = try? JSONValue.parse(bytes), let action = json["action"]?.stringValue.flatMap(Action.init),
            let filedAt = json["filed_at"]?.integerValue
        else { return nil }
        self.action = action
        self.filedAt = filedAt
        // Only an explicit null is "all": a damaged id must not become that.
        switch json["id"] {
        case .null: id = nil
        case .string(let text) where ContentHash(hex: text) != nil: id = text
        default: return nil
        }
    }
}
