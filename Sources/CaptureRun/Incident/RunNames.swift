import DurableIO

/// The names of a run's files.
enum RunNames {
    /// The room of a spool in which runs have their directories.
    static let room: EntryName = "runs"
    /// The rooms of a spool in which reports wait for the owner, or for the server.
    static let waitingRooms: [EntryName] = ["collected", "queued"]
    /// What the names of runs begin with in `incoming/` of another user's spool. The owner passes such names over, as all
    /// that begin with a dot.
    static let sharedPrefix = ".run-"
    /// What the owner calls a run of another user that it has moved into `runs/`, up to the incident.
    static let adoptedPrefix = ".adopted-"
    /// The same of one that it could not remove after it had told of it.
    static let remainsPrefix = ".remains-"

    /// The file whose lock the watching process holds.
    static let lock: EntryName = "lock"
    /// What has been started. Where it is missing, there is nothing to be told of: it is made first and removed first.
    static let record: EntryName = "run.json"
    static let stderr: EntryName = "stderr"
    /// The drops that are being made.
    static let making: EntryName = "making"
    /// All drops of the incident, complete and durable. From here on they are only moved on.
    static let sealed: EntryName = "sealed"

    /// The names that no report of a runtime can have.
    static func isOwn(_ name: EntryName) -> Bool {
        name == lock || name == record || name == stderr || name == making || name == sealed
    }

    /// A new name for an incident: a random UUID.
    static func newIncident(using generator: inout some RandomNumberGenerator) -> String {
        var bytes = (generator.next() as UInt64).littleEndianBytes + (generator.next() as UInt64).littleEndianBytes
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        var digits: [UInt8] = []
        for index in bytes.indices {
            if index == 4 || index == 6 || index == 8 || index == 10 { digits.append(UInt8(ascii: "-")) }
            digits.append((bytes[index] >> 4).hexDigit)
            digits.append(bytes[index].hexDigit)
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// The incident that a directory is named after, behind a prefix; `nil` for any other name.
    static func incident(in name: EntryName, behind prefix: String = "") -> String? {
        guard name.hasPrefix(prefix), let text = name.string?.dropFirst(prefix.count) else { return nil }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [8, 4, 4, 4, 12],
            parts.allSatisfy({ $0.utf8.allSatisfy(\.isLowerHexDigit) })
        else { return nil }
        return String(text)
    }
}
