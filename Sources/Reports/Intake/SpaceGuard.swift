import DurableIO

/// The bounds that a payload has to keep while it is read: its own size, the space it leaves to others, and what all
/// reports together may take.
struct SpaceGuard {
    private let room: CollectingRoom
    /// Whether the bytes that are counted are those of a drop that is being unpacked.
    private let isUnpacking: Bool
    /// The most that may be read, in bytes.
    private let limit: UInt64
    /// The space is looked at when so many bytes have been read.
    private var nextLook: UInt64
    /// What all stored reports may take, in bytes; `nil` while nobody has asked the file system.
    private var total: UInt64?

    private static let lookInterval: UInt64 = 64 << 20
    /// From here on a report has to leave more space: 1 MiB.
    private static let smallByteCount: UInt64 = 1 << 20

    /// - Parameters:
    ///   - room: where the payload is collected.
    ///   - facts: of the payload's file; `nil` where nothing tells how much there is to read.
    ///   - isUnpacking: whether the payload is unpacked from its file. The default is `false`.
    init(_ room: CollectingRoom, expecting facts: FileMetadata?, isUnpacking: Bool = false) {
        self.room = room
        self.isUnpacking = isUnpacking
        // The holes of a file are read, too; that it is not too large was seen by its blocks.
        limit = max(room.limits.maximumReportByteCount, facts?.size ?? 0)
        // What was expected was checked before.
        let isExpected = facts.map { $0.countedByteCount > Self.smallByteCount } ?? false
        nextLook = isExpected ? Self.lookInterval : Self.smallByteCount + 1
        total = room.limits.maximumTotalByteCount
    }

    /// To be called with how many bytes of the payload have been read, and how many stored bytes they have become.
    mutating func check(read: UInt64, stored: UInt64) throws {
        guard read <= limit else {
            if isUnpacking { throw PayloadProblem.tooLargeUnpacked(limit: limit) }
            throw PayloadProblem.tooLarge(size: read, limit: limit)
        }
        if let total, stored > total { throw PayloadProblem.tooLargeInAll(limit: total) }
        guard read >= nextLook else { return }
        nextLook = read + Self.lookInterval
        if total == nil { total = try Self.total(room) }
        try Self.checkFloor(for: read, room)
    }

    /// Refuses a stored report that is larger than all may be together.
    static func checkTotal(_ stored: UInt64, _ room: CollectingRoom) throws {
        // No file system's share is smaller than the least default.
        let least = room.limits.total(ofTotal: 0)
        guard stored > least else { return }
        let total = try total(room)
        guard stored <= total else { throw PayloadProblem.tooLargeInAll(limit: total) }
    }

    static func checkFloor(for size: UInt64, _ room: CollectingRoom) throws {
        let space = try room.files.space(on: room.directory)
        let floor = room.limits.floor(ofTotal: space.total, forReportOf: size)
        guard space.available >= floor else {
            throw PayloadProblem.noSpace(free: space.available, floor: floor)
        }
    }

    private static func total(_ room: CollectingRoom) throws -> UInt64 {
        room.limits.total(ofTotal: try room.files.space(on: room.directory).total)
    }
}
