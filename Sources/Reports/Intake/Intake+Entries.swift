import DurableIO

/// What other processes published: reports and orders in `collected/`.
extension Intake {
    /// So many names are held at once: there may be a hundred thousand.
    private static let pieceCount = 1_024

    func bringInEntries(_ summary: inout Summary) async throws {
        var orders: Set<EntryName> = []
        var group = Group()
        while true {
            let names = publishedNames(besides: group.staying.union(orders), &summary)
            for name in names where Order.isOrder(name) { orders.insert(name) }
            try await bringIn(names.filter { !orders.contains($0) }, into: &group, &summary)
            if names.count < Self.pieceCount || Task.isCancelled || summary.isOutOfSpace { break }
        }
        // After all of the entries: a report that was added before it was asked for is there by now.
        guard !Task.isCancelled, !summary.isOutOfSpace else { return }
        for name in orders.sorted() {
            do {
                let actions = OrderActions(spool: spool, queue: queue, sender: sender)
                if try await actions.carryOut(name) { summary.orders += 1 }
            } catch let problem as Order.Problem {
                // Stays for a person, or for a newer program: `doctor` names it, and nobody waits for it.
                logger.notice("Order not carried out", metadata: ["order.name": "\(name)", "reason": "\(problem)"])
            } catch let error as FileSystemError {
                let reason = "cannot be carried out: \(error): \(SpoolErrors.advice(error))"
                leave("collected/\(name)", nil, .notTaken(reason), &summary)
            }
        }
    }

    private func publishedNames(besides known: Set<EntryName>, _ summary: inout Summary) -> [EntryName] {
        let names = listed("collected", &summary) { () throws(FileSystemError) in
            var names: [EntryName] = []
            try spool.files.forEachEntry(in: spool.collected) { name in
                if !known.contains(name) { names.append(name) }
                return names.count < Self.pieceCount
            }
            return names
        }
        return names.sorted()
    }

    /// What an entry turned out to be.
    private enum Entry {
        case report(StoredReport)
        case gone
        case damaged(DamagedReport)
        case unreadable(FileSystemError)
    }

    private func bringIn(_ names: [EntryName], into group: inout Group, _ summary: inout Summary) async throws {
        var rest: ArraySlice<EntryName> = []
        for name in names {
            if isLeft("collected/\(name)", nil, unlink: (name, spool.collected), &summary) {
                group.staying.insert(name)
            } else {
                rest.append(name)
            }
        }
        var looked = look(at: rest.popFirst(Self.groupCount))
        while !looked.isEmpty, !Task.isCancelled {
            // The next ones are read while these are written.
            let following = rest.popFirst(Self.groupCount)
            async let next = look(at: following)
            for (name, entry) in looked { try await bringIn(entry, named: name, into: &group, &summary) }
            looked = await next
        }
        try await enrolGroup(&group, &summary)
    }

    private func look(at names: ArraySlice<EntryName>) -> [(name: EntryName, entry: Entry)] {
        names.map { name in
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

    private func bringIn(
        _ entry: Entry, named name: EntryName, into group: inout Group, _ summary: inout Summary
    ) async throws {
        let path = "collected/\(name)"
        switch entry {
        case .report(let report):
            let candidate = Enrolment.Candidate(report: report, source: .entry(name), drop: nil)
            return try await add(candidate, to: &group, &summary)
        case .gone:
            break
        case .damaged(let problem):
            logger.notice("Entry is damaged", metadata: ["path": "\(path)", "reason": "\(problem)"])
            do {
                let isParked = try await Enrolment(spool: spool, queue: queue, marks: marks, locks: sender.locks)
                    .park(damaged: name, reason: problem.description)
                sender.noteMovedFiles()
                if isParked { sender.countRejected() }
            } catch is CancellationError {
                // It stays where it lies, for the next owner.
            } catch let error as FileSystemError {
                let reason = "is damaged and cannot be moved to parked/: \(error.errno): \(SpoolErrors.advice(error))"
                leave(path, nil, .notTaken(reason), &summary)
            }
        case .unreadable(let error):
            leave(path, nil, .notTaken(DropZone.unreadable(error)), &summary)
        }
        group.staying.insert(name)
    }
}

extension ArraySlice {
    /// The first ones, which are taken away.
    fileprivate mutating func popFirst(_ count: Int) -> ArraySlice {
        defer { self = dropFirst(count) }
        return prefix(count)
    }
}
