import DurableIO

/// The limits that a payload has to keep while it is read: its own size, the free space on the disk, and the total size
/// of all reports.
struct SpaceGuard {
    private let room: CollectingRoom
    /// Whether the bytes that are counted come from a packed drop.
    private let isUnpacking: Bool
    /// The largest number of bytes that may be read.
    private let limit: UInt64
    /// The number of read bytes at which the free space is checked next.
    private var nextLook: UInt64
    /// The largest total size of all stored reports, in bytes; `nil` until it is needed and the file system was asked.
    private var total: UInt64?

    private static let lookInterval: UInt64 = 64 << 20
    /// The size above which a report has to leave more free space: 1 MiB.
    private static let smallByteCount: UInt64 = 1 << 20

    /// Makes a guard for one payload.
    /// - Parameters:
    ///   - room: the directory in which the payload is collected.
    ///   - facts: the facts of the payload's file; `nil` when the number of bytes to be read is not known.
    ///   - isUnpacking: whether the payload is unpacked from a packed drop. The default is `false`.
    init(_ room: CollectingRoom, expecting facts: FileMetadata?, isUnpacking: Bool = false) {
        self.room = room
        self.isUnpacking = isUnpacking
        // A sparse file is read with its holes, so its size may exceed the limit. An earlier check counted only the
        // blocks of the file, and accepted it.
        limit = max(room.limits.maximumReportByteCount, facts?.size ?? 0)
        // The expected size was checked before the reading began.
        let isExpected = facts.map { $0.countedByteCount > Self.smallByteCount } ?? false
        nextLook = isExpected ? Self.lookInterval : Self.smallByteCount + 1
        total = room.limits.maximumTotalByteCount
    }

    /// Checks the limits. `read` is the number of payload bytes that were read, and `stored` the number of bytes that
    /// were stored for them.
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

    /// Refuses a stored report that is larger than all reports together may be.
    static func checkTotal(_ stored: UInt64, _ room: CollectingRoom) throws {
        // The limit of every file system is at least this large.
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
