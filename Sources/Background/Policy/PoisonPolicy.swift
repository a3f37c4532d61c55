/// Strikes against a transfer that was alone under way when the process died: it may be what kills the sender.
package enum PoisonPolicy {
    /// Strikes at which a transfer is held.
    package static let limit = 3
    /// Processes that have to die while a drop is collected until the drop is left where it is.
    package static let deathLimit = 3
    private static let firstHold: Int64 = 3_600_000
    private static let longestHold: Int64 = 24 * 3_600_000

    /// How long a transfer with so many strikes is held before it is tried again, alone: 1 h, doubling to 24 h.
    /// - Returns: milliseconds, or `nil` while it is not held.
    package static func holdDelay(strikes: Int) -> Int64? {
        guard strikes >= limit else { return nil }
        return min(longestHold, firstHold << Int64(min(strikes - limit, 8)))
    }

    /// Whether the death of an earlier owner is a strike: only a transfer that was alone under way can be blamed.
    /// - Parameters:
    ///   - inFlight: how many transfers were under way.
    ///   - isBlamed: whether the death says something about a transfer. It does not when the machine went down, because
    ///     that ends the process whatever it sends. It does not when drops were being collected, because these may be
    ///     the cause.
    /// - Returns: whether it is a strike.
    package static func isStrike(inFlight: Int, isBlamed: Bool) -> Bool {
        inFlight == 1 && isBlamed
    }
}
