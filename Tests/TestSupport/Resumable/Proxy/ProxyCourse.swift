/// What happens to one connection through a ``CuttingProxy``.
///
/// Byte counts are of one direction, from the connection's first byte on.
package struct ProxyCourse: Sendable {
    package enum Direction: Sendable {
        case toServer
        case toClient
    }

    /// How a connection is cut. What waits in the kernel's buffers may be lost, as on a real network: at most so many
    /// bytes arrive as have passed.
    package enum Ending: Sendable {
        /// Both sides see a reset (RST).
        case reset
        /// Both sides see an end (FIN), which the kernel makes a reset of for a side whose bytes have not been read.
        case finish
        /// The client sees a reset; the server sees nothing at all, as if the client's machine had lost its power.
        case vanish
    }

    struct Cut: Sendable {
        let byteCount: Int
        let waitsForMore: Bool
        let ending: Ending
    }

    struct Lane: Sendable {
        var cut: Cut?
        var hold: (byteCount: Int, gate: Gate)?
        var pace: (byteCount: Int, milliseconds: Int)?
    }

    private(set) var toServer = Lane()
    private(set) var toClient = Lane()

    /// Everything passes as it comes.
    package init() {}

    /// Everything passes until the connection is cut, as soon as so many bytes have.
    package static func cut(
        _ direction: Direction, after byteCount: Int, by ending: Ending = .reset
    ) -> ProxyCourse {
        ProxyCourse().cutting(direction, after: byteCount, by: ending)
    }

    /// The same, with a cut as soon as so many bytes have passed.
    package func cutting(_ direction: Direction, after byteCount: Int, by ending: Ending = .reset) -> ProxyCourse {
        changing(direction) { $0.cut = Cut(byteCount: byteCount, waitsForMore: false, ending: ending) }
    }

    /// The same, with a cut when more than so many bytes come: with 0 bytes to the client, when the server has
    /// answered.
    package func cutting(_ direction: Direction, beyond byteCount: Int, by ending: Ending = .reset) -> ProxyCourse {
        changing(direction) { $0.cut = Cut(byteCount: byteCount, waitsForMore: true, ending: ending) }
    }

    /// The same, but after so many bytes nothing more passes until the gate is open. While it is held, a direction is
    /// not read either, and does not notice that its sender has gone.
    package func holding(_ direction: Direction, after byteCount: Int, until gate: Gate) -> ProxyCourse {
        changing(direction) { $0.hold = (byteCount, gate) }
    }

    /// The same, but no more than so many bytes pass at once, with a pause after each time.
    package func pacing(_ direction: Direction, byteCount: Int, everyMilliseconds: Int) -> ProxyCourse {
        changing(direction) { $0.pace = (max(1, byteCount), everyMilliseconds) }
    }

    private func changing(_ direction: Direction, _ change: (inout Lane) -> Void) -> ProxyCourse {
        var course = self
        switch direction {
        case .toServer: change(&course.toServer)
        case .toClient: change(&course.toClient)
        }
        return course
    }
}
