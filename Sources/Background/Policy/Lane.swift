/// The name of the place to which a transfer goes, as the ledger writes it into the transfer's row.
///
/// There are two kinds of lanes. A *destination's lane* has a name that the client chooses, and the client's settings
/// say to which origin it leads. An *own lane* is named `@` and an origin, and is for transfers with requests of their
/// own.
///
/// Each transfer has one lane. Two lanes share nothing except the gate, if they lead to the same origin.
package struct Lane: Hashable, Sendable, CustomStringConvertible {
    package let name: String

    private static let ownMark: Character = "@"

    /// A destination's lane; the name must not begin with `@`.
    package init(_ name: String) {
        self.name = name
    }

    /// The own lane of transfers whose requests lead to an origin.
    package static func own(_ origin: String) -> Lane {
        Lane("\(ownMark)\(origin)")
    }

    /// The origin in the name of an own lane; `nil` for a destination's lane.
    package var ownOrigin: String? {
        name.first == Self.ownMark ? String(name.dropFirst()) : nil
    }

    /// The name of the destination; `nil` for an own lane, and for a lane without a name.
    package var destinationName: String? { ownOrigin == nil && !name.isEmpty ? name : nil }

    package var description: String { name }
}
