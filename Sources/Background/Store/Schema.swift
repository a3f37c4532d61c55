/// The ledger's tables. `PRAGMA user_version` is the number of the newest migration that was applied.
///
/// Version 5 is the first version that counts. Earlier versions were never released; the content of a ledger of such a
/// version is carried over into a new ledger (`TransferStore.salvage`). A released migration is a closed text: nobody
/// edits it, and it shares nothing with another migration. A change is a new migration at the end.
enum Schema {
    private static let migrations: [String] = [version5, version6, version7]
    /// The version of the first migration.
    private static let firstVersion: Int64 = 5

    static var currentVersion: Int64 { firstVersion + Int64(migrations.count) - 1 }

    /// Applies the missing migrations in one transaction, so that another program that only reads never sees a ledger
    /// between two versions.
    /// - Returns: whether the ledger was empty before.
    /// - Throws: ``LedgerError`` for a ledger of a later version, or of a version before the first.
    static func migrate(_ connection: SQLiteConnection) throws -> Bool {
        let found = try connection.value("PRAGMA user_version")?.integer ?? 0
        if found == 0, try connection.value("SELECT count(*) FROM sqlite_schema")?.integer != 0 {
            throw SQLiteError.damage("tables without a version")
        }
        if found != 0 { try check(found) }
        guard found < currentVersion else { return false }
        try connection.transaction { () throws(SQLiteError) in
            for migration in migrations.dropFirst(Int(max(0, found - firstVersion + 1))) {
                try connection.execute(migration)
            }
            try connection.execute("PRAGMA user_version=\(currentVersion)")
        }
        return found == 0
    }

    /// - Throws: ``LedgerError`` for a version that cannot be used as it is.
    static func check(_ version: Int64) throws(LedgerError) {
        if version > currentVersion { throw .newerVersion(found: version, known: currentVersion) }
        if version < firstVersion { throw .unreleasedVersion(version) }
    }

    /// Times whose names end in `_at` are milliseconds on the ledger's axis. Times whose names end in `_wall` are
    /// milliseconds since the epoch.
    ///
    /// The states are spelled out, each with `OR`. To look a value up in a list of three or more, SQLite makes a table
    /// once for each statement, and this takes longer than all other work of the statement. Triggers keep `tally` and
    /// `counter`, so that both are right after every commit, whichever program makes it. Nothing writes yet to the
    /// column `incident`.
    private static let version5 = """
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
          closure TEXT CHECK(closure = 'backing-off' OR closure = 'asked' OR closure = 'held'),
          reason TEXT,
          opens_at INTEGER,
          send_window INTEGER NOT NULL,
          failures INTEGER NOT NULL,
          accepted INTEGER NOT NULL,
          rejections INTEGER NOT NULL,
          refusals INTEGER NOT NULL,
          last_status INTEGER,
          last_error TEXT,
          used_at INTEGER NOT NULL,
          CHECK((closure IS NULL) = (opens_at IS NULL))) STRICT, WITHOUT ROWID;

        CREATE TABLE lane(
          name TEXT PRIMARY KEY,
          origin TEXT NOT NULL) STRICT, WITHOUT ROWID;

        CREATE TABLE transfer(
          id INTEGER PRIMARY KEY,
          identifier TEXT NOT NULL UNIQUE,
          lane TEXT NOT NULL,
          label TEXT NOT NULL,
          rank INTEGER NOT NULL CHECK(rank BETWEEN 0 AND 2),
          metadata TEXT NOT NULL,
          byte_count INTEGER NOT NULL,
          seen INTEGER NOT NULL DEFAULT 1,
          first_seen_wall INTEGER NOT NULL,
          last_seen_wall INTEGER NOT NULL,
          state TEXT NOT NULL CHECK(state = 'queued' OR state = 'sending' OR state = 'waiting' OR state = 'held'
            OR state = 'delivered' OR state = 'rejected' OR state = 'exhausted' OR state = 'evicted'
            OR state = 'removed'),
          reason TEXT,
          note TEXT,
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
          method TEXT,
          url TEXT,
          header_names TEXT,
          body_path TEXT,
          body_hash TEXT,
          answer TEXT,
          is_acknowledged INTEGER NOT NULL DEFAULT 0,
          progress TEXT,
          cuts INTEGER NOT NULL DEFAULT 0,
          cut_byte_count INTEGER,
          cut_ms INTEGER,
          signature TEXT,
          service TEXT,
          occurred_wall INTEGER,
          incident TEXT,
          CHECK((state = 'sending') = (epoch IS NOT NULL)),
          CHECK((state <> 'queued' AND state <> 'waiting') OR due_at IS NOT NULL),
          CHECK(state = 'queued' OR state = 'waiting' OR state = 'held' OR due_at IS NULL),
          CHECK((state = 'queued' OR state = 'sending' OR state = 'waiting' OR state = 'held')
            = (settled_at IS NULL))
        ) STRICT;
        CREATE INDEX transfer_due ON transfer(lane, is_suspect, due_at, id) WHERE due_at IS NOT NULL;
        CREATE INDEX transfer_held ON transfer(lane, reason, id) WHERE state = 'held';
        CREATE INDEX transfer_unreachable ON transfer(lane, id) WHERE state = 'waiting' AND reason = 'unreachable';
        CREATE INDEX transfer_settled ON transfer(settled_at) WHERE settled_at IS NOT NULL;
        CREATE INDEX transfer_state ON transfer(state, first_seen_wall, id, rank);
        CREATE INDEX transfer_signature ON transfer(signature, first_seen_wall) WHERE signature IS NOT NULL;

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

        CREATE TABLE consumed_token(
          token TEXT PRIMARY KEY,
          consumed_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

        CREATE TABLE begun(
          name TEXT PRIMARY KEY,
          tries INTEGER NOT NULL,
          begun_wall INTEGER NOT NULL) STRICT, WITHOUT ROWID;

        CREATE TABLE memory(
          name TEXT PRIMARY KEY,
          text TEXT NOT NULL) STRICT, WITHOUT ROWID;

        CREATE TABLE tally(
          lane TEXT NOT NULL,
          state TEXT NOT NULL CHECK(state = 'queued' OR state = 'sending' OR state = 'waiting' OR state = 'held'
            OR state = 'delivered' OR state = 'rejected' OR state = 'exhausted' OR state = 'evicted'
            OR state = 'removed'),
          count INTEGER NOT NULL,
          byte_count INTEGER NOT NULL,
          PRIMARY KEY(lane, state)) STRICT, WITHOUT ROWID;

        CREATE TABLE counter(
          lane TEXT NOT NULL,
          event TEXT NOT NULL,
          reason TEXT NOT NULL,
          count INTEGER NOT NULL,
          byte_count INTEGER NOT NULL,
          PRIMARY KEY(lane, event, reason)) STRICT, WITHOUT ROWID;

        CREATE TRIGGER transfer_comes AFTER INSERT ON transfer BEGIN
          INSERT INTO tally(lane, state, count, byte_count) VALUES(NEW.lane, NEW.state, 1, NEW.byte_count)
            ON CONFLICT DO UPDATE SET count=count+1, byte_count=byte_count+excluded.byte_count;
        END;
        CREATE TRIGGER transfer_moves AFTER UPDATE OF lane, state, byte_count ON transfer
          WHEN OLD.state <> NEW.state OR OLD.byte_count <> NEW.byte_count OR OLD.lane <> NEW.lane
        BEGIN
          UPDATE tally SET count=count-1, byte_count=byte_count-OLD.byte_count
            WHERE lane=OLD.lane AND state=OLD.state;
          INSERT INTO tally(lane, state, count, byte_count) VALUES(NEW.lane, NEW.state, 1, NEW.byte_count)
            ON CONFLICT DO UPDATE SET count=count+1, byte_count=byte_count+excluded.byte_count;
        END;
        CREATE TRIGGER transfer_goes AFTER DELETE ON transfer BEGIN
          UPDATE tally SET count=count-1, byte_count=byte_count-OLD.byte_count
            WHERE lane=OLD.lane AND state=OLD.state;
        END;
        CREATE TRIGGER transfer_arrives AFTER UPDATE OF state ON transfer
          WHEN NEW.state = 'delivered' AND OLD.state <> 'delivered'
        BEGIN
          INSERT INTO counter(lane, event, reason, count, byte_count)
            VALUES(NEW.lane, 'delivered', '', 1, NEW.byte_count)
            ON CONFLICT DO UPDATE SET count=count+1, byte_count=byte_count+excluded.byte_count;
        END;
        CREATE TRIGGER transfer_falls AFTER UPDATE OF state ON transfer
          WHEN NEW.state = 'evicted' AND OLD.state <> 'evicted'
        BEGIN
          INSERT INTO counter(lane, event, reason, count, byte_count)
            VALUES(NEW.lane, 'evicted', ifnull(NEW.reason, ''), 1, NEW.byte_count)
            ON CONFLICT DO UPDATE SET count=count+1, byte_count=byte_count+excluded.byte_count;
        END;
        """

    /// Adds indexes for the order of claiming: rows of rank 0 by age, and bodies that a deadline has cut twice in a
    /// row. A row of `begun` is open while its drop is being collected.
    private static let version6 = """
        CREATE INDEX transfer_first ON transfer(lane, is_suspect, first_seen_wall, id, due_at)
          WHERE rank = 0 AND due_at IS NOT NULL;
        CREATE INDEX transfer_slow ON transfer(lane, due_at, id) WHERE cuts > 1 AND due_at IS NOT NULL;
        ALTER TABLE begun ADD COLUMN is_open INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE begun ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0;
        """

    /// Adds what the limit of a signature needs. `admitted_at` is when the row was enrolled as one that the limit
    /// counts; unlike `enrolled_at` it stays when a person has the transfer tried anew. Rows from before this version
    /// do not count.
    ///
    /// No change of a state or a reason touches the index of admitted rows. The index of evicted rows holds only
    /// those; it ends with the state, because SQLite looks at the row of a column that an index does not have.
    private static let version7 = """
        ALTER TABLE transfer ADD COLUMN admitted_at INTEGER;
        CREATE INDEX transfer_admitted ON transfer(signature, admitted_at) WHERE admitted_at IS NOT NULL;
        CREATE INDEX transfer_evicted ON transfer(reason, settled_at, signature, state) WHERE state = 'evicted';
        """
}

/// The reason why a ledger cannot be used as it is.
package enum LedgerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A later version of this library has written the ledger. Nothing was touched.
    case newerVersion(found: Int64, known: Int64)
    /// The ledger was written before the first release. The next owner carries its rows over into a new ledger.
    case unreleasedVersion(Int64)
    case missing

    package var description: String {
        switch self {
        case .newerVersion(let found, let known):
            "the ledger has version \(found), this program knows versions up to \(known): use a newer program"
        case .unreleasedVersion(let version):
            "the ledger has version \(version), of a program that was never released"
        case .missing:
            "there is no ledger"
        }
    }
}
