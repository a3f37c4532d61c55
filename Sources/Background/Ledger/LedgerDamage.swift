/// How often this process has met damage in a ledger during its work.
///
/// A read that failed once need not fail again. So a ledger is set aside only when its damage is met again.
package enum LedgerDamage: Hashable, Sendable {
    case none
    /// Damage was met once. The whole ledger is checked before it is used again.
    case metOnce
    /// Damage was met again, although the check found nothing.
    case metAgain(SQLiteError)

    package func afterMeeting(_ damage: SQLiteError?) -> LedgerDamage {
        guard let damage else { return self }
        return self == .metOnce ? .metAgain(damage) : .metOnce
    }
}
