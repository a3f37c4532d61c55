/// What an upload in parts remembers, so that a later attempt, in another life perhaps, goes on where the server is.
struct ResumableProgress: Hashable, Sendable {
    /// Where the report goes. Progress made towards another address is worth nothing.
    var target: String
    /// Of the draft, as the server speaks it.
    var version: InteropVersion
    /// Where the parts go, on the target's own origin.
    var resource: String
    /// What the server has acknowledged, in bytes; it alone says how much that is now.
    var offset: UInt64
    /// The most one part may have, as far as the server has said or shown it.
    var partLimit: UInt64
    /// How often in a row it was gone on with, and the server had no more than before.
    var stalls = 0

    /// Words without spaces, in this order, all on one line.
    var text: String { "\(version.rawValue) \(offset) \(partLimit) \(stalls) \(resource) \(target)" }

    init(target: String, version: InteropVersion, resource: String, partLimit: UInt64) {
        self.target = target
        self.version = version
        self.resource = resource
        self.partLimit = partLimit
        offset = 0
    }

    init?(text: String) {
        let words = text.split(separator: " ")
        guard words.count == 6, let version = Int(words[0]).flatMap(InteropVersion.init),
            let offset = UInt64(words[1]), let partLimit = UInt64(words[2]), let stalls = Int(words[3])
        else { return nil }
        self.version = version
        self.offset = offset
        self.partLimit = partLimit
        self.stalls = stalls
        resource = String(words[4])
        target = String(words[5])
    }
}

extension TransferRecord {
    /// How much of the body the server has acknowledged, in bytes; `nil` unless it goes by parts.
    package var acknowledgedByteCount: UInt64? {
        progress.flatMap(ResumableProgress.init)?.offset
    }
}
