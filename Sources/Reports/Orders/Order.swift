package import DurableIO

/// What a process that is not the owner asks of it: a small file in `collected/`, acted on exactly once.
///
/// A file that this program cannot read as an order stays where it is, across all lives: it may be a newer program's,
/// and is a person's wish in any case. Nobody waits for it, and `doctor` names it.
package struct Order: Hashable, Sendable {
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

    package static func isOrder(_ name: EntryName) -> Bool { name.hasSuffix(suffix) }

    /// The name is the nonce by which an effect is remembered.
    package static func newName() -> EntryName { .unique(suffix: suffix) }

    package var bytes: [UInt8] {
        var object = JSONObject()
        object["action"] = .string(action.rawValue)
        object["id"] = JSONValue(id)
        object["filed_at"] = .integer(filedAt)
        return JSONValue.object(object).utf8Bytes
    }

    /// Why a file is no order to this program.
    package enum Problem: Error, Hashable, Sendable {
        /// An order in form, to do something else than this program can.
        case unknownAction(String)
        case damaged
        case unreadable(FileSystemError)
    }

    package init(bytes: [UInt8]) throws(Problem) {
        guard let json = try? JSONValue.parse(bytes), let word = json["action"]?.stringValue else { throw .damaged }
        guard let action = Action(rawValue: word) else { throw .unknownAction(word) }
        guard let filedAt = json["filed_at"]?.integerValue else { throw .damaged }
        self.action = action
        self.filedAt = filedAt
        // Only an explicit null is "all", and only for what is done with all: a damaged id must not become that.
        switch json["id"] {
        case .null where action == .retry: id = nil
        case .string(let text) where ContentHash(hex: text) != nil: id = text
        default: throw .damaged
        }
    }

    /// Reads an order from `collected/`.
    /// - Returns: `nil` when the file is gone.
    package static func read(_ name: EntryName, in spool: ReportSpool) throws(Problem) -> Order? {
        let bytes: [UInt8]?
        do {
            bytes = try spool.files.contents(of: name, in: spool.collected)
        } catch {
            throw .unreadable(error)
        }
        guard let bytes else { return nil }
        return try Order(bytes: bytes)
    }

    /// Whether it is there and this program can carry it out.
    static func isKnown(_ name: EntryName, in spool: ReportSpool) -> Bool {
        (try? read(name, in: spool)) != nil
    }
}

extension Order.Problem: CustomStringConvertible {
    /// What it is and what to do about it, for `doctor` and the log.
    package var description: String {
        switch self {
        case .unknownAction(let word):
            "an order to \"\(word.prefix(40))\", which this program does not know: left for a newer one; "
                + "run submit with that, or delete the file"
        case .damaged:
            "an order that is damaged, and not carried out: "
                + "give it again with 'reports retry' or 'reports remove', then delete the file"
        case .unreadable(let error):
            "an order that cannot be read (\(error)), and is not carried out: make it readable for the spool's owner, "
                + "or delete it and give the order again"
        }
    }
}
