import Background
import DurableIO

/// The list of sources that an intake has to bring in, and the counts of what the intake has brought in so far.
///
/// A look adds sources to the list. Then the intake brings the sources in, some at a time and in their order, until the
/// list is empty or it is time for another look. The list is lost with the process. The next owner's look finds the
/// same sources.
struct IntakeList {
    let intake: Intake
    var summary = Intake.Summary()
    var drops: DropOrder
    var entries = EntryOrder()
    /// The entries that the look has read to find their ranks. An entry stays here until it is enrolled.
    var reports: [EntryName: StoredReport] = [:]
    var orders: Set<EntryName> = []
    /// The number of entries that the intake enrols before it carries out the orders.
    var entriesBeforeOrders = 0
    /// Whether the list may have small drops.
    var hasSmallDrops = false
    /// Whether the intake collects a large drop at the same time.
    var isBesideLarge = false
    /// The suspect drops: drops that were in `taken/` when a process died. The intake collects them last, each of them
    /// alone. The last element of the array comes next.
    var suspects: [(entry: DropOrder.Entry, deaths: Int)] = []

    private(set) var lookCount = 0
    /// The number of looks in a row that had no time to go through all drops.
    var cutCount = 0

    init(_ intake: Intake) {
        self.intake = intake
        drops = DropOrder(largeByteCount: intake.largeDropByteCount)
    }

    /// Whether the list has nothing except large drops and suspect drops.
    var isEmpty: Bool { !hasSmallDrops && entries.isEmpty && orders.isEmpty }

    /// Looks at all directories. Passes over the drop that is being collected by itself.
    /// - Parameters:
    ///   - time: how long the look may take.
    ///   - isUnderWay: says whether a drop is the drop that is being collected by itself.
    ///   - afterEntries: called between the look at the entries and the look at the drops. If it is given, the first
    ///     entries are enrolled and the orders are carried out before the call.
    /// - Throws: the errors of the ledger.
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

    /// Whether the source is still on the list, so that the intake will try again to bring it in.
    private func isWaiting(_ source: Intake.Source) -> Bool {
        guard let room = source.place.room else { return entries.holds(source.place.entry) }
        return drops.waits(DropOrder.Place(room: room, name: source.place.entry))
    }

    /// Writes into the ledger why sources were left. Readers of the spool need these reasons.
    /// - Parameter isLast: whether the run looks no more. The default is `false`.
    /// - Throws: the errors of the ledger.
    mutating func endLook(isLast: Bool = false) async throws {
        guard lookCount > 0, !Task.isCancelled else { return }
        do {
            try await intake.left.endLook(intake.queue, at: intake.spool.clock.bootMilliseconds, isLast: isLast)
        } catch {
            // The disk has no space for the reasons. A later look writes them.
            guard SpoolErrors.isOutOfSpace(error) else { throw error }
        }
    }

    /// Brings in the next sources: some entries, then one group of small drops. In both, crashes come first.
    /// - Returns: whether the list still has entries, orders or small drops.
    mutating func bringInNext() async throws -> Bool {
        guard !isEmpty, !Task.isCancelled else { return false }
        try await bringInEntries()
        try await carryOutOrders()
        try await bringInDrops()
        return !isEmpty && !Task.isCancelled
    }
}
