/// What the ledger knows of a row whose attempts were cut: a deadline or a signal stopped them before they ended.
///
/// A *slow body* is the body of a row whose ``count`` is at least ``limit``.
package struct CutAttempts: Hashable, Sendable {
    /// Cuts in a row: 0 after any other end. From 2 on the row goes last, and one such at a time.
    package var count = 0
    /// How fast the body went out last; `nil` when that is not known.
    package var rate: BodyRate?

    package init(count: Int = 0, rate: BodyRate? = nil) {
        self.count = count
        self.rate = rate
    }

    /// Whether the next attempt is to be watched more closely, because it may be cut again.
    package var isWatchWanted: Bool { count > 0 }

    /// Cuts in a row after which a row goes last: 2.
    package static let limit = 2
    /// How long a row is put off while no run has the time that it needs: 6 h, in milliseconds.
    package static let pause: Int64 = 6 * 3_600_000

    /// A run as it looks to an attempt that it cuts. Times in milliseconds.
    package struct Run: Hashable, Sendable {
        /// How long the run had from its beginning; `nil` for one without a deadline.
        package var deadline: Int64?
        /// How long it has lasted.
        package var lasted: Int64
        /// When the attempt ended, by the trace's clock.
        package var now: Int64
        /// Whether the body had the way to its origin to itself at its end, so that its pace is its own.
        package var isAlone: Bool
        /// Whether the row had been put off before the attempt.
        package var wasPutOff: Bool

        package init(
            deadline: Int64?, lasted: Int64, now: Int64, isAlone: Bool = true, wasPutOff: Bool = false
        ) {
            self.deadline = deadline
            self.lasted = lasted
            self.now = now
            self.isAlone = isAlone
            self.wasPutOff = wasPutOff
        }

        /// A run that ends a moment early was ended by its deadline, too.
        fileprivate var isDeadlineOver: Bool { deadline.map { lasted >= $0 - 500 } ?? false }
    }

    /// What follows a cut.
    package struct Consequence: Hashable, Sendable {
        package var cuts: CutAttempts
        /// For people; `nil` where there is nothing to say.
        package var note: String?
        /// Whether the row rests for ``CutAttempts/pause``, unless a run has the time that it needs.
        package var isPutOff = false
    }

    /// One more attempt was cut.
    /// - Parameters:
    ///   - trace: how its body went out.
    ///   - byteCount: how much of the body the server did not have before the attempt, in bytes.
    ///   - run: the run that ended it.
    /// - Returns: what the ledger is to know of the row.
    package func followed(by trace: BodyTrace, of byteCount: Int64, in run: Run) -> Consequence {
        guard trace.hasBody else { return asBefore(byteCount, run) }
        if trace.waitsForAnswer {
            // The server is slow, or the rest of the body lies in this machine's buffers: nobody knows what time it
            // needs, so that it goes last from the second time on, and is never put off.
            return Consequence(cuts: CutAttempts(count: count + 1), note: Self.unanswered(run))
        }
        guard let rate = trace.rate(at: run.now) else {
            // It may be a short outage, or a way so slow that it takes closer watching to see anything move.
            return count < Self.limit ? Consequence(cuts: CutAttempts(count: 1)) : asBefore(byteCount, run)
        }
        // One that only began too late goes at its turn next time.
        if let deadline = run.deadline, rate.need(for: byteCount) <= deadline {
            return Consequence(cuts: CutAttempts(count: 1, rate: rate))
        }
        let cuts = CutAttempts(count: count + 1, rate: rate)
        // Beside others it went slower than it can, which says nothing new about one that was put off.
        guard run.isAlone else { return run.wasPutOff ? asBefore(byteCount, run) : Consequence(cuts: cuts) }
        return cuts.count < Self.limit ? Consequence(cuts: cuts) : Self.putOff(cuts, byteCount, run)
    }

    /// The attempt says nothing about the body.
    private func asBefore(_ byteCount: Int64, _ run: Run) -> Consequence {
        run.wasPutOff ? Self.putOff(self, byteCount, run) : Consequence(cuts: self)
    }

    private static func unanswered(_ run: Run) -> String {
        let deadline = run.isDeadlineOver ? run.deadline.map(deadlineText) : nil
        return "\(deadline.map { "\($0) came" } ?? "the run ended") before the server's answer"
    }

    private static func putOff(_ cuts: CutAttempts, _ byteCount: Int64, _ run: Run) -> Consequence {
        guard let rate = cuts.rate else { return Consequence(cuts: cuts) }
        var need = rate.need(for: byteCount)
        let end: String
        if let deadline = run.deadline, need > deadline {
            end = "more than \(deadlineText(deadline))"
            // Rounded, the two are not to look the same.
            need = max(need, roundedUp(deadline) + 1_000)
        } else {
            end = "and the run ended after \(PlainTime.text(run.lasted))"
        }
        return Consequence(
            cuts: cuts, note: "needs about \(PlainTime.text(need)) at \(rate.text), \(end)", isPutOff: true)
    }

    private static func deadlineText(_ deadline: Int64) -> String {
        "the deadline of \(PlainTime.text(roundedUp(deadline)))"
    }

    private static func roundedUp(_ milliseconds: Int64) -> Int64 {
        (max(0, milliseconds) + 999) / 1_000 * 1_000
    }
}
