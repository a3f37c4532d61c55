/// How often a ledger was found damaged in the middle of the work.
///
/// A read that failed once need not fail twice, so only a ledger that is met damaged again is set aside.
package enum LedgerDamage: Hashable, Sendable {
    case none
    /// All of the ledger is checked before it is used again.
    case metOnce
    /// Met again although the check found nothing.
    case metAgain(SQLiteError)

    package func afterMeeting(_ damage: SQLiteError?) -> LedgerDamage {
        guard let damage else { return self }
        return self == .metOnce ? .metAgain(damage) : .metOnce
    }
}
