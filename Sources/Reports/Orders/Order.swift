package import Diagnosis
package import DurableIO

/// An order to the owner from a process that is not the owner: a small file in `collected/`, which an owner carries out
/// exactly once.
///
/// A file that this program cannot read as an order stays where it is, for later owners, too. It may come from a newer
/// program, and a person has asked for it in any case. No process waits for it, and `doctor` names it.
package struct Order: Hashable, Sendable {
    package enum Action: String, Sendable {
        case retry
        case remove
        /// Try now what a submit would try: `submit` files it where another process owns the spool, and takes it back
        /// when it no longer waits. It has no effect that would have to be remembered.
        case submit
    }

    /// What an order is about.
    package enum Target: Hashable, Sendable {
        /// A report, by the 64 hexadecimal digits of its id.
        case report(String)
        /// A poisonous drop, by the place where it lies.
        case drop(DropPlace)
        /// For a retry: all reports that are parked, held or waiting, and all poisonous drops. For a submit: all that
        /// it would try.
        case all
    }

    package let action: Action
    package let target: Target
    /// Milliseconds since the epoch. Older than the report's last appearance, a `remove` is void.
    package let filedAt: Int64

    package init(_ action: Action, _ target: Target, filedAt: Int64) {
        self.action = action
        self.target = target
        self.filedAt = filedAt
    }

    private static let suffix = ".request"

    package static func isOrder(_ name: EntryName) -> Bool { name.hasSuffix(suffix) }

    /// The name is the nonce by which an effect is remembered.
    package static func newName() -> EntryName { .unique(suffix: suffix) }

    /// An order about a drop has an action of its own: an earlier program, which knows reports only, would take it for
    /// another order, or for a damaged one.
    private static let dropActions: [Action: String] = [.retry: "retry-drop", .remove: "remove-drop"]
    /// Of orders about drops. A program that meets another version leaves the order alone.
    private static let dropVersion: Int64 = 1

    package var bytes: [UInt8] {
        var object = JSONObject()
        switch target {
        case .report(let id):
            object["action"] = .string(action.rawValue)
            object["id"] = .string(id)
        case .all:
            object["action"] = .string(action.rawValue)
            object["id"] = .null
        case .drop(let place):
            object["action"] = .string(Self.dropActions[action] ?? action.rawValue)
            object["v"] = .integer(Self.dropVersion)
            object["room"] = .string(place.room.path)
            object["name_b64"] = .string(Base64.encode(place.name.entry.bytes))
        }
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
        if let action = Action(rawValue: word) {
            target = try Self.target(of: action, in: json)
            self.action = action
        } else if let action = Self.dropActions.first(where: { $0.value == word })?.key {
            guard json["v"]?.integerValue == Self.dropVersion else { throw .unknownAction(word) }
            target = try Self.drop(in: json)
            self.action = action
        } else {
            throw .unknownAction(word)
        }
        guard let filedAt = json["filed_at"]?.integerValue else { throw .damaged }
        self.filedAt = filedAt
    }

    /// Only an explicit null is "all", and only for what is done with all: a damaged id must not become that.
    private static func target(of action: Action, in json: JSONValue) throws(Problem) -> Target {
        switch json["id"] {
        case .null where action != .remove: return .all
        case .string(let text) where action != .submit && ContentHash(hex: text) != nil: return .report(text)
        default: throw .damaged
        }
    }

    private static func drop(in json: JSONValue) throws(Problem) -> Target {
        guard let room = json["room"]?.stringValue.flatMap(DropZone.Room.init(path:)),
            let name = json["name_b64"]?.stringValue.flatMap(Base64.decode).flatMap(EntryName.init(bytes:)),
            let place = DropPlace(name, in: room)
        else { throw .damaged }
        return .drop(place)
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

extension Order.Target {
    /// What `retry` and `remove` print of it as JSON: the id; of a drop, which has none yet, name and path.
    package var json: JSONObject {
        var object = JSONObject()
        switch self {
        case .report(let id): object["id"] = .string(id)
        case .drop(let place):
            object["id"] = .null
            object["name"] = .string(place.name.dropped.description)
            if place.name.dropped.string == nil {
                object["name_b64"] = .string(Base64.encode(place.name.dropped.bytes))
            }
            object["path"] = .string(place.path)
        case .all: break
        }
        return object
    }
}

extension Order.Target: CustomStringConvertible {
    /// The id, or the path in the spool, for people and shells.
    package var description: String {
        switch self {
        case .report(let id): id
        case .drop(let place): place.path
        case .all: "all"
        }
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
