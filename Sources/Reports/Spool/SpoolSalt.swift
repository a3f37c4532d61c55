import Background
import DurableIO

/// The random bytes of a spool that go into its value of the fact `machine_id`, so that two spools of one machine have
/// different values.
///
/// The salt lies in the ledger. A spool gets it when it is made; the ledger of an older spool gets it from its next
/// owner. It stays with the spool when the spool is moved, and when a damaged ledger is replaced by another, as long as
/// it can be read.
enum SpoolSalt {
    /// The name of the salt among the ledger's texts.
    static let name = "salt"
    private static let byteCount = 16

    /// Makes a salt, as hexadecimal digits.
    static func new() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<byteCount).map { _ in UInt8.random(in: .min ... .max, using: &generator) }.hexDigits
    }

    /// Gives a ledger its salt if it has none.
    ///
    /// Best effort: while there is no salt, as on a full disk, reports lack one fact and nothing else.
    static func lay(in store: TransferStore) {
        guard (try? store.queries.memories(prefix: name)[name]) == .some(nil) else { return }
        try? store.transaction { () throws in try store.replaceMemories(prefix: name, with: [name: new()]) }
    }

    /// Reads the salt as any process may that can read the ledger; `nil` while there is none, or the ledger cannot be
    /// read.
    static func read(from spool: ReportSpool) -> [UInt8]? {
        let reader = try? LedgerReader(
            name: LedgerPlace.ledgerName, in: spool.root, files: spool.files, clock: spool.clock, isHasty: true)
        let text = (try? reader?.queries.memories(prefix: name))?[name]
        return text.flatMap { [UInt8](hexDigits: Array($0.utf8)) }
    }
}
