/// The ledger's tables, as numbered migrations. `PRAGMA user_version` counts those applied.
///
/// A migration, once released, is never edited: a change is a new one at the end.
enum Schema {
    static let migrations: [String] = [version1, version2, version3, version4]

    static var currentVersion: Int64 { Int64(migrations.count) }

    /// Applies what is missing, in one transaction: another program that only looks never sees a ledger between two
    /// versions.
    /// - Returns: whether the ledger was empty before.
    static func migrate(_ connection: SQLiteConnection) throws -> Bool {
        let found = try connection.value("PRAGMA user_version")?.integer ?? 0
        guard found <= currentVersion else {
            throw LedgerError.newerVersion(found: found, known: currentVersion)
        }
        if found == 0, try connection.value("SELECT count(*) FROM sqlite_schema")?.integer != 0 {
            throw SQLiteError(code: 11, message: "tables without a version", statement: nil)
        }
        guard found < currentVersion else { return false }
        try connection.transaction { () throws(SQLiteError) in
            for migration in migrations[Int(found)...] { try connection.execute(migration) }
            try connection.execute("PRAGMA user_version=\(currentVersion)")
        }
        return found == 0
    }

    /// Times ending in `_at` are milliseconds on the ledger's axis, those ending in `_wall` since the epoch.
    private static let version1 = """
        CREATE TABLE engine(
          id INTEGER PRIMARY KEY CHECK(id = 1),
          epoch INTEGER NOT NULL,
          is_clean INTEGER NOT NULL,
          boot_id TEXT NOT NULL,
          boot_ms INTEGER NOT NULL,
          wall_ms INTEGER NOT NULL,
          ledger_ms INTEGER NOT NULL) STRICT;

        CREATE TABLE origin(
          name TEXT PRIMARY KEY,
          closure TEXT CHECK(closure IN ('backing-off', 'asked', 'held')),
          reason TEXT,
          opens_at INTEGER,
          send_window INTEGER NOT NULL,
          failures INTEGER NOT NULL,
          accepted INTEGER NOT NULL,
          rejections INTEGER NOT NULL,
          refusals INTEGER NOT NULL,
          last_status INTEGER,
          last_error TEXT,
          CHECK((closure IS NULL) = (opens_at IS NULL))) STRICT, WITHOUT ROWID;

        CREATE TABLE transfer(
          id INTEGER PRIMARY KEY,
          identifier TEXT NOT NULL UNIQUE,
          label TEXT NOT NULL,
          metadata TEXT NOT NULL,
          byte_count INTEGER NOT NULL,
          seen INTEGER NOT NULL DEFAULT 1,
          first_seen_wall INTEGER NOT NULL,
          last_seen_wall INTEGER NOT NULL,
          state TEXT NOT NULL CHECK(state IN ('queued', 'sending', 'waiting', 'held', 'delivered', 'rejected',
            'exhausted', 'evicted', 'removed')),
          reason TEXT,
          due_at INTEGER,
          is_suspect INTEGER NOT NULL DEFAULT 0,
          epoch INTEGER,
          attempts INTEGER NOT NULL DEFAULT 0,
          charged INTEGER NOT NULL DEFAULT 0,
          failures INTEGER NOT NULL DEFAULT 0,
          strikes INTEGER NOT NULL DEFAULT 0,
          accepted_mark INTEGER,
          enrolled_at INTEGER NOT NULL,
          settled_at INTEGER,
          last_status INTEGER,
          last_error TEXT,
          receipt TEXT,
          origin TEXT,
          method TEXT,
          url TEXT,
          header_names TEXT,
          body_path TEXT,
          body_hash TEXT,
          answer TEXT,
          is_acknowledged INTEGER NOT NULL DEFAULT 0,
          CHECK((state = 'sending') = (epoch IS NOT NULL)),
          CHECK(state NOT IN ('queued', 'waiting') OR due_at IS NOT NULL),
          CHECK(state IN ('queued', 'waiting', 'held') OR due_at IS NULL),
          CHECK((state IN ('delivered', 'rejected', 'exhausted', 'evicted', 'removed')) = (settled_at IS NOT NULL))
        ) STRICT;
        CREATE INDEX transfer_due ON transfer(is_suspect, due_at, id) WHERE due_at IS NOT NULL;
        CREATE INDEX transfer_sending ON transfer(epoch) WHERE epoch IS NOT NULL;
        CREATE INDEX transfer_held ON transfer(reason, id) WHERE state = 'held';
        CREATE INDEX transfer_unreachable ON transfer(id) WHERE state = 'waiting' AND reason = 'unreachable';
        CREATE INDEX transfer_live_origin ON transfer(origin) WHERE origin IS NOT NULL AND settled_at IS NULL;
        CREATE INDEX transfer_settled ON transfer(settled_at) WHERE settled_at IS NOT NULL;
        CREATE INDEX transfer_seen ON transfer(first_seen_wall, id);
        CREATE INDEX transfer_state ON transfer(state, first_seen_wall, id);

        CREATE TABLE attempt(
          transfer INTEGER NOT NULL REFERENCES transfer(id) ON DELETE CASCADE,
          number INTEGER NOT NULL,
          started_wall INTEGER NOT NULL,
          ended_wall INTEGER,
          status INTEGER,
          error TEXT,
          bytes_sent INTEGER,
          retry_after_ms INTEGER,
          PRIMARY KEY(transfer, number)) STRICT, WITHOUT ROWID;

        CREATE TABLE applied_request(
          nonce TEXT PRIMARY KEY,
          applied_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        """

    /// How far a transfer that goes by parts has come: its client's own words, never read by anybody else.
    private static let version2 = "ALTER TABLE transfer ADD COLUMN progress TEXT;"

    /// Sums that would cost a look at each row, kept by triggers so that they hold in every commit: of transfers to be
    /// sent, of held ones, and of those parked. And one index less to write with each claim: `transfer_state` serves.
    private static let version3 = """
        CREATE TABLE tally(
          standing TEXT PRIMARY KEY,
          count INTEGER NOT NULL,
          byte_count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        INSERT INTO tally SELECT standing,
            (SELECT count(*) FROM transfer WHERE \(standing(of: "transfer")) = standing),
            (SELECT ifnull(sum(byte_count), 0) FROM transfer WHERE \(standing(of: "transfer")) = standing)
          FROM (SELECT 'waiting' AS standing UNION ALL SELECT 'held' UNION ALL SELECT 'parked');
        \(triggers(by: standing))
        DROP INDEX transfer_sending;
        """

    /// The sum a row belongs to; null for one that is done with.
    private static func standing(of row: String) -> String {
        """
        CASE WHEN \(row).state IN ('queued', 'sending', 'waiting') THEN 'waiting' WHEN \(row).state = 'held' THEN 'held' \
        WHEN \(row).state IN ('rejected', 'exhausted') THEN 'parked' END
        """
    }

    /// What keeps the sums, given the words for the one that a row belongs to.
    private static func triggers(by standing: (_ row: String) -> String) -> String {
        """
        CREATE TRIGGER transfer_comes AFTER INSERT ON transfer BEGIN
          UPDATE tally SET count=count+1, byte_count=byte_count+NEW.byte_count WHERE standing = \(standing("NEW"));
        END;
        CREATE TRIGGER transfer_moves AFTER UPDATE OF state, byte_count ON transfer
          WHEN OLD.byte_count <> NEW.byte_count OR \(standing("OLD")) IS NOT \(standing("NEW"))
        BEGIN
          UPDATE tally SET count=count-1, byte_count=byte_count-OLD.byte_count WHERE standing = \(standing("OLD"));
          UPDATE tally SET count=count+1, byte_count=byte_count+NEW.byte_count WHERE standing = \(standing("NEW"));
        END;
        CREATE TRIGGER transfer_goes AFTER DELETE ON transfer BEGIN
          UPDATE tally SET count=count-1, byte_count=byte_count-OLD.byte_count WHERE standing = \(standing("OLD"));
        END;
        """
    }

    /// The same rules and sums in other words. SQLite looks a value up in a list of three or more in a table that it
    /// makes for the purpose, once for each statement, which took longer than all else that a statement did.
    ///
    /// The constraints are changed in place, as sqlite.org/lang_altertable.html describes where the content stays the same.
    private static let version4 = """
        PRAGMA writable_schema=ON;
        UPDATE sqlite_schema SET sql=\(rewritten) WHERE type='table' AND name='transfer';
        PRAGMA writable_schema=RESET;
        DROP TRIGGER transfer_comes;
        DROP TRIGGER transfer_moves;
        DROP TRIGGER transfer_goes;
        \(triggers(by: sum))
        """

    /// The table as versions 1 and 2 define it, each list of states spelled out in its constraint.
    private static var rewritten: String {
        let lists = [
            "'queued', 'sending', 'waiting', 'held', 'delivered', 'rejected',\n    'exhausted', 'evicted', 'removed'",
            "'queued', 'waiting', 'held'",
            "'delivered', 'rejected', 'exhausted', 'evicted', 'removed'",
        ]
        guard let start = version1.firstRange(of: "CREATE TABLE transfer(")?.lowerBound,
            let end = version1[start...].firstRange(of: ") STRICT")?.upperBound
        else { preconditionFailure("version 1 has the table") }
        var definition = String(version1[start..<end])
        for list in lists { definition.replace("state IN (\(list))", with: any(of: list, "state")) }
        definition.replace("  CHECK((state = 'sending')", with: "  progress TEXT,\n  CHECK((state = 'sending')")
        return quoted(definition)
    }

    private static func any(of list: String, _ column: String) -> String {
        let words = list.split { "', \n".contains($0) }
        return "(" + words.map { "\(column) = '\($0)'" }.joined(separator: " OR ") + ")"
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }

    /// The sum a row belongs to, without lists.
    private static func sum(of row: String) -> String {
        """
        CASE WHEN \(any(of: "queued, sending, waiting", "\(row).state")) THEN 'waiting' \
        WHEN \(row).state = 'held' THEN 'held' \
        WHEN \(any(of: "rejected, exhausted", "\(row).state")) THEN 'parked' END
        """
    }
}

/// Why a ledger cannot be used.
package enum LedgerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Written by a later version of this library; nothing was touched.
    case newerVersion(found: Int64, known: Int64)
    case missing

    package var description: String {
        switch self {
        case .newerVersion(let found, let known):
            "the ledger has version \(found), this program knows versions up to \(known): use a newer program"
        case .missing:
            "there is no ledger"
        }
    }
}
