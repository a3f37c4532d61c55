import Background
import DurableIO

/// What an owner's intake has before it, and what came of it so far.
///
/// A look adds what has come since the last one. Then the list is brought in piece by piece, the first things first,
/// until it is empty or it is time for another look. The list is lost with the process; the next owner's look finds
/// the same.
struct IntakeList {
    let intake: Intake
    var summary = Intake.Summary()
    var drops: DropOrder
    var entries = EntryOrder()
    /// Entries that were read to know their ranks, until they are enrolled.
    var reports: [EntryName: StoredReport] = [:]
    var orders: Set<EntryName> = []
    /// How many entries are to be enrolled before the orders are carried out.
    var entriesBeforeOrders = 0
    /// Whether there may be small drops to bring in.
    var hasSmallDrops = false
    /// Whether a large drop is being collected beside these.
    var isBesideLarge = false
    /// Drops that lay in `taken/` when a process died: they are collected last, each alone; the next one is the last.
    var suspects: [(entry: DropOrder.Entry, deaths: Int)] = []

    private(set) var lookCount = 0
    /// How many looks in a row have not got through all of the drops.
    var cutCount = 0

    init(_ intake: Intake) {
        self.intake = intake
        drops = DropOrder(largeByteCount: intake.largeDropByteCount)
    }

    /// Whether nothing is left besides large drops and suspects.
    var isEmpty: Bool { !hasSmallDrops && entries.isEmpty && orders.isEmpty }

    /// Looks at all rooms, besides the large drop that is being collected.
    /// - Parameters:
    ///   - time: how long it may take.
    ///   - isUnderWay: says which one that is.
    ///   - afterEntries: called between the rooms, before drops are looked at. With it, the first entries are brought
    ///     in before.
    /// - Throws: when the ledger cannot be read or written.
    mutating func look(
        for time: LookTime = LookTime(), besides isUnderWay: (DropOrder.Entry) -> Bool = { _ in false },
        afterEntries: (() -> Void)? = nil
    ) async throws {
        try await endLook()
        let left = summary.left
        intake.left.beginLook()
        summary.beginLook()
        lookAtEntries(for: time)
        if let afterEntries {
            try await bringInEntries()
            try await carryOutOrders()
            afterEntries()
        }
        try await lookAtDrops(for: time, besides: isUnderWay)
        lookCount += 1
        for source in left where isWaiting(source) { intake.left.keep(source.key) }
    }

    /// Whether a source that was left is still to be tried again.
    private func isWaiting(_ source: Intake.Source) -> Bool {
        guard let room = DropZone.Room(rawValue: source.room) else { return entries.holds(source.entry) }
        return drops.waits(source.entry, in: room)
    }

    /// Writes the reasons of what was left into the ledger, for readers.
    mutating func endLook() async throws {
        guard lookCount > 0, !Task.isCancelled else { return }
        do {
            try await intake.left.endLook(intake.queue)
        } catch {
            // The reasons are told by a later look.
            guard SpoolErrors.isOutOfSpace(error) else { throw error }
        }
    }

    /// Brings in the next piece: some entries, and one group of small drops. Crashes among them come first.
    /// - Returns: whether something small is left.
    mutating func bringInNext() async throws -> Bool {
        guard !isEmpty, !Task.isCancelled else { return false }
        try await bringInEntries()
        try await carryOutOrders()
        try await bringInDrops()
        return !isEmpty && !Task.isCancelled
    }
}
