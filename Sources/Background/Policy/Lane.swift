/// The name under which transfers go to one place: a destination's, which the client chooses, or `@` and an origin for
/// transfers with requests of their own.
///
/// Each transfer has one lane. Lanes share nothing but the gate of the origin they lead to.
package struct Lane: Hashable, Sendable, CustomStringConvertible {
    package let name: String

    private static let ownMark: Character = "@"

    /// A destination's lane; the name must not begin with `@`.
    package init(_ name: String) {
        self.name = name
    }

    /// The lane of transfers whose own requests lead to an origin.
    package static func own(_ origin: String) -> Lane {
        Lane("\(ownMark)\(origin)")
    }

    /// The origin that the name itself says; `nil` for a destination's lane.
    package var ownOrigin: String? {
        name.first == Self.ownMark ? String(name.dropFirst()) : nil
    }

    package var description: String { name }
}
