import Background
package import Diagnosis
import DurableIO

/// How the reports of one destination stand, or those without a destination, or those that go to one server with
/// requests of their own.
package struct DestinationStanding: Sendable {
    /// The name of the destination; `nil` for reports with requests of their own, and for those of which no run has
    /// decided where they go, or that a route holds.
    package let name: String?
    /// The server to which the last run of this destination led, as a gate is named; `nil` while no run has had the
    /// destination, and for reports without one.
    package let origin: String?
    /// The gate of that server; `nil` while nothing was sent through it.
    package let gate: SpoolStatus.Origin?
    /// In the order of a report's life.
    package let states: [(name: String, count: SpoolStatus.Count)]
    /// How many of its held reports no route sends: a route holds them, or the destination does not take them.
    package let heldByRouteCount: Int
    /// When the oldest of its undelivered reports was seen first, in milliseconds since the epoch. What a route holds
    /// does not count.
    package let oldestUndeliveredAt: Int64?
    /// Milliseconds since the epoch.
    package let nextAttemptAt: Int64?
    /// Whether the settings name the destination; `nil` where they name none, and where this has no name.
    package let isInSettings: Bool?

    /// How many of its held reports it does not take. What a route holds has no destination.
    package var notTakenCount: Int { name == nil ? 0 : heldByRouteCount }

    /// Whether reports may be sent to it now; `nil` while no run has had the destination.
    package var isOpen: Bool? { origin == nil ? nil : gate?.isOpen ?? true }

    /// How many of its reports are neither delivered nor parked.
    package var liveCount: Int {
        states.filter { TransferState(rawValue: $0.name)?.isLive == true }.reduce(0) { $0 + $1.count.count }
    }

    package var json: JSONObject {
        var object = JSONObject()
        object["destination"] = JSONValue(name)
        object["origin"] = JSONValue(origin)
        object["states"] = .object(SpoolStatus.json(of: states))
        object["held_by_route"] = JSONValue(heldByRouteCount)
        object["oldest_undelivered_at"] = JSONValue(oldestUndeliveredAt.map(RFC3339.string))
        object["next_attempt_at"] = JSONValue(nextAttemptAt.map(RFC3339.string))
        object["open"] = isOpen.map { .bool($0) } ?? .null
        object["reason"] = JSONValue(gate?.reason)
        object["in_settings"] = isInSettings.map { .bool($0) } ?? .null
        return object
    }
}
