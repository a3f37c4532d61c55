package import Background
package import Diagnosis
import DurableIO

/// What an owner has done or found, for a person who follows its work. Each event is true when it is told: what it says
/// is durable.
package enum SpoolEvent: Hashable, Sendable {
    /// A drop or an entry is in the spool for good. `isKnown` says that the spool had the report before, so that only
    /// the report's count has grown.
    case taken(id: String, name: String?, kind: String, summary: String, isKnown: Bool)
    case delivered(id: String, attempts: Int)
    /// A report did not go out at its first attempt, and is tried again by itself.
    case putOff(id: String, reason: String, error: String?)
    /// A report waits until something changes.
    case held(id: String, reason: String, error: String?)
    /// A report is in `parked/`, or its bytes are gone.
    case ended(id: String, state: TransferState, reason: String, error: String?)
    /// The bytes of a report were deleted to keep a limit.
    case evicted(id: String, reason: String, limit: String)
    /// So many reports of one fault were left out.
    case braked(signature: String, count: Int)
    /// A drop or an entry stays where it is.
    case left(path: String, reason: String)
    /// How many reports wait and are held, and when the next attempt may be made, by the wall clock in milliseconds.
    case standing(waiting: Int, held: Int, nextAttempt: Int64?)
    /// Another process owns the spool, and this one waits for it; `nil` where the lock does not name it.
    case ownedElsewhere(String?)
    /// Directories cannot be watched for this reason, so they are looked at every 2 s; `nil` when they are watched
    /// again.
    case notWatched(String?)
    /// Something cannot be taken in for want of space, for this reason; `nil` when there is space again.
    case noSpace(String?)
    /// Something of the spool cannot be looked at or moved, for this reason: a directory, the run of a program that has
    /// died, or the file of a report whose row is right. What the owner can do beside it, it does.
    case trouble(path: String, reason: String)
    /// A repair, or a destination that cannot be reached, as a sentence.
    case repaired(String)
}

extension SpoolEvent {
    static func taken(_ report: StoredReport, isKnown: Bool) -> SpoolEvent {
        let properties = report.properties
        return .taken(
            id: report.id.hex, name: properties.name.map { String(decoding: $0, as: UTF8.self) },
            kind: properties.kind.rawValue, summary: properties.summary, isKnown: isKnown)
    }

    /// The event's JSON form, with its name in `event`. Absent values are `null`.
    package var json: JSONObject {
        var object = JSONObject()
        func put(_ name: String, _ members: KeyValuePairs<String, JSONValue>) {
            object["event"] = JSONValue(name)
            for (key, value) in members { object[key] = value }
        }
        switch self {
        case .taken(let id, let name, let kind, let summary, let isKnown):
            put(
                "taken",
                [
                    "id": JSONValue(id), "name": JSONValue(name), "kind": JSONValue(kind),
                    "summary": JSONValue(summary), "duplicate": JSONValue(isKnown),
                ])
        case .delivered(let id, let attempts):
            put("delivered", ["id": JSONValue(id), "attempts": JSONValue(attempts)])
        case .putOff(let id, let reason, let error):
            put("waiting", ["id": JSONValue(id), "reason": JSONValue(reason), "error": JSONValue(error)])
        case .held(let id, let reason, let error):
            put("held", ["id": JSONValue(id), "reason": JSONValue(reason), "error": JSONValue(error)])
        case .ended(let id, let state, let reason, let error):
            put(state.rawValue, ["id": JSONValue(id), "reason": JSONValue(reason), "error": JSONValue(error)])
        case .evicted(let id, let reason, let limit):
            put("evicted", ["id": JSONValue(id), "reason": JSONValue(reason), "limit": JSONValue(limit)])
        case .braked(let signature, let count):
            put("braked", ["signature": JSONValue(signature), "count": JSONValue(count)])
        case .left(let path, let reason):
            put("skipped", ["path": JSONValue(path), "reason": JSONValue(reason)])
        case .standing(let waiting, let held, let next):
            put(
                "standing",
                [
                    "waiting": JSONValue(waiting), "held": JSONValue(held),
                    "next_attempt_at": JSONValue(next.map(RFC3339.string)),
                ])
        case .ownedElsewhere(let owner): put("owned-elsewhere", ["owner": JSONValue(owner)])
        case .notWatched(let reason): put("not-watched", ["reason": JSONValue(reason)])
        case .noSpace(let reason): put("no-space", ["reason": JSONValue(reason)])
        case .trouble(let path, let reason):
            put("trouble", ["path": JSONValue(path), "reason": JSONValue(reason)])
        case .repaired(let text): put("repaired", ["text": JSONValue(text)])
        }
        return object
    }
}
