import DurableIO

/// The files in `collected/`: entries, which are reports that producers published, and orders of people.
extension IntakeList {
    /// The largest number of entries that are enrolled before the intake turns to drops.
    private static let pieceCount = 4 * Intake.groupCount
    /// The largest number of entries that stay in memory after a look has read them, about 2 MiB. Other entries are
    /// read again when they are enrolled.
    private static let keptCount = 4_096

    private var spool: ReportSpool { intake.spool }

    mutating func lookAtEntries(for time: LookTime = LookTime()) {
        let spool = spool
        let names = intake.listed("collected", &summary) { () throws(FileSystemError) in
            var names: [EntryName] = []
            try spool.files.forEachEntry(in: spool.collected) { name in
                names.append(name)
                return names.count < EntryOrder.capacity && !Task.isCancelled
            }
            return names
        }
        orders = Set(names.filter(Order.isOrder))
        summary.seen = Set(names.map { Intake.Place($0, in: nil) })
        add(names.filter { entries.wants($0) && !Order.isOrder($0) }, for: time)
        entriesBeforeOrders = entries.count
    }

    /// Adds entries to the list, the crashes first. The look reads the entries to find the crashes. When its time is
    /// over, the remaining entries are added without being read.
    private mutating func add(_ found: [EntryName], for time: LookTime) {
        // All entries fit into one group. The group is enrolled in one commit, so the order of its entries does not
        // matter.
        guard found.count + entries.count > Intake.groupCount else { return entries.add(found) }
        let end = spool.clock.bootMilliseconds + time.reading
        var crashes: [(collectedAt: Int64, name: EntryName)] = []
        for name in found {
            guard spool.clock.bootMilliseconds < end, !Task.isCancelled else { break }
            guard let report = try? spool.stored(name, in: spool.collected) else { continue }
            if reports.count < Self.keptCount { reports[name] = report }
            guard report.properties.rank == ReportRank.crash else { continue }
            crashes.append((report.properties.collectedAt, name))
        }
        entries.add(crashes: crashes)
        entries.add(found)
    }

    mutating func bringInEntries() async throws {
        guard !entries.isEmpty else { return }
        let next = entries.next(Self.pieceCount)
        entriesBeforeOrders -= next.count
        var names: [EntryName] = []
        let known = takeReports(of: next)
        for name in next
        where !intake.isLeft(Intake.Source(published: name), &summary) {
            names.append(name)
        }
        var rest = names[...]
        var looked = look(at: rest.popFirst(Intake.groupCount), known)
        let hadSpace = !summary.isOutOfSpace
        summary.isOutOfSpace = false
        while !looked.isEmpty, !Task.isCancelled, !summary.isOutOfSpace {
            // The next group is read while this group is enrolled.
            let following = rest.popFirst(Intake.groupCount)
            async let next = look(at: following, known)
            try await bringIn(looked)
            looked = await next
        }
        // The disk has no space, so the list is emptied. A later look finds the entries again.
        if summary.isOutOfSpace {
            entries.removeAll()
            reports = [:]
        }
        if !hadSpace { summary.isOutOfSpace = true }
    }

    /// The result of reading an entry.
    private enum Entry {
        case report(StoredReport)
        case gone
        case damaged(DamagedReport)
        case unreadable(FileSystemError)
    }

    private mutating func takeReports(of names: [EntryName]) -> [EntryName: StoredReport] {
        guard !reports.isEmpty else { return [:] }
        var taken: [EntryName: StoredReport] = [:]
        for name in names { taken[name] = reports.removeValue(forKey: name) }
        return taken
    }

    private func look(
        at names: ArraySlice<EntryName>, _ known: [EntryName: StoredReport]
    ) -> [(name: EntryName, entry: Entry)] {
        names.map { name in
            if let report = known[name] { return (name, .report(report)) }
            do {
                return (name, try spool.stored(name, in: spool.collected).map { .report($0) } ?? .gone)
            } catch let problem as DamagedReport {
                return (name, .damaged(problem))
            } catch let error as FileSystemError {
                return (name, .unreadable(error))
            } catch {
                return (name, .damaged(DamagedReport(description: "\(error)")))
            }
        }
    }

    private mutating func bringIn(_ looked: [(name: EntryName, entry: Entry)]) async throws {
        var group: [Enrolment.Candidate] = []
        for (name, entry) in looked {
            switch entry {
            case .report(let report):
                group.append(Enrolment.Candidate(report: report, source: .entry(name), drop: nil))
            case .gone: break
            case .damaged(let problem): try await park(name, problem)
            case .unreadable(let error):
                intake.leave(Intake.Source(published: name), .notTaken(DropZone.unreadable(error)), &summary)
            }
        }
        try await intake.enrolGroup(group, &summary)
    }

    private mutating func park(_ name: EntryName, _ problem: DamagedReport) async throws {
        let source = Intake.Source(published: name)
        intake.logger.notice("Entry is damaged", metadata: ["path": "\(source.place.path)", "reason": "\(problem)"])
        let enrolment = Enrolment(
            spool: spool, queue: intake.queue, marks: intake.marks, locks: intake.sender.locks,
            router: intake.sender.router)
        do {
            let isParked = try await enrolment.park(damaged: name, reason: problem.description)
            intake.sender.noteMovedFiles()
            if isParked { intake.sender.countRejected() }
        } catch is CancellationError {
            // The entry stays where it is, for the next owner.
        } catch let error as FileSystemError {
            let reason = "is damaged and cannot be moved to parked/: \(error.errno): \(SpoolErrors.advice(error))"
            intake.leave(source, .notTaken(reason), &summary)
        }
    }

    // MARK: - Orders

    /// Carries out the orders, after the entries that were found at the same look are enrolled. So an order finds the
    /// report that a producer has published before it.
    ///
    /// An order may free space, so it is carried out even when the disk has no space.
    mutating func carryOutOrders() async throws {
        guard entries.isEmpty || entriesBeforeOrders <= 0 else { return }
        let names = orders.sorted()
        orders = []
        for name in names where !Task.isCancelled {
            do {
                let actions = OrderActions(
                    spool: spool, queue: intake.queue, sender: intake.sender, router: intake.sender.router)
                if try await actions.carryOut(name) { summary.orders += 1 }
            } catch let problem as Order.Problem {
                // The order stays for a person or for a newer program. `doctor` names the order, and no process waits
                // for it.
                intake.logger.notice(
                    "Order not carried out", metadata: ["order.name": "\(name)", "reason": "\(problem)"])
            } catch let error as FileSystemError {
                let reason = "cannot be carried out: \(error): \(SpoolErrors.advice(error))"
                intake.leave(Intake.Source(published: name), .notTaken(reason), &summary)
            }
        }
    }
}

extension ArraySlice {
    /// Removes and returns the first elements of the slice.
    fileprivate mutating func popFirst(_ count: Int) -> ArraySlice {
        defer { self = dropFirst(count) }
        return prefix(count)
    }
}
