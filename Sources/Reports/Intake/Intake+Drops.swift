import Background
import DurableIO

/// The steps of one drop from its take to its candidate, which the intake then enrols.
extension Intake {
    /// Takes a drop and opens it. If an owner has taken the drop earlier, only opens it.
    /// - Returns: the open drop; `nil` when the drop is gone, or when the intake has left it.
    func open(_ entry: DropOrder.Entry, _ summary: inout Summary) -> DropZone.Taken? {
        let zone = DropZone(spool: spool)
        do {
            if entry.isTaken {
                guard let name = TakenName(entry.name, in: entry.room) else { return nil }
                return opened(try zone.reopen(name, in: entry.room), entry, &summary)
            }
            guard let drop = try zone.drop(named: entry.name, in: entry.room) else { return nil }
            // The drop was small at the look and is large now, so the intake has to collect it by itself.
            if let size = drop.facts?.size, size > largeDropByteCount, entry.size <= largeDropByteCount {
                leave(Source(entry), for: .young, &summary)
                return nil
            }
            try ReportCollector(spool: spool).checkSpace(for: drop.facts)
            return opened(try zone.take(drop), entry, &summary)
        } catch let problem as PayloadProblem {
            if case .noSpace = problem { summary.isOutOfSpace = true }
            leave(Source(entry), .notTaken(problem.description), &summary)
        } catch let error as FileSystemError {
            if error.isOutOfSpace { summary.isOutOfSpace = true }
            leave(Source(entry), .notTaken(DropZone.words(error, in: entry.room)), &summary)
        } catch {
            leave(Source(entry), .notTaken("cannot be taken: \(error)"), &summary)
        }
        return nil
    }

    private func opened(
        _ result: consuming DropZone.TakeResult, _ entry: DropOrder.Entry, _ summary: inout Summary
    ) -> DropZone.Taken? {
        switch consume result {
        case .taken(let taken): return taken
        case .notNow(let readiness):
            leave(Source(entry), for: readiness, &summary)
            return nil
        }
    }

    /// Collects a drop: reads, hashes and compresses its payload. If the drop is packed, unpacks the payload first.
    /// - Returns: the candidate; `nil` when the drop stays in `taken/`. Then the intake has left the drop, the task was
    ///   cancelled, or the payload turned out to be large while the ledger does not say that the drop is begun.
    func candidate(
        of taken: consuming DropZone.Taken, isBegun: Bool = false, betweenBlocks pause: () -> Void,
        _ summary: inout Summary
    ) -> Enrolment.Candidate? {
        let drop = taken.drop
        do {
            let (collector, zone) = (ReportCollector(spool: spool), DropZone(spool: spool))
            try collector.checkSpace(for: drop.facts)
            let header = try DropHeader.read(of: taken.file, size: drop.facts.size, files: spool.files)
            if !isBegun, let header, header.payloadByteCount > largeDropByteCount {
                leave(Source(drop), for: .young, &summary)
                return nil
            }
            var description = ReportCollector.Description(name: drop.name.dropped.bytes, source: drop.mark)
            var sources = try zone.annotations(of: drop)
            description.annotations = spool.annotations.merged(with: sources)
            if let header {
                sources.program = header.annotations
                description.unpackedAnnotations = spool.annotations.merged(with: sources)
            }
            description.leavesOutAnnotations = true
            let source: PayloadSource =
                if let header { .packed(taken.file, facts: drop.facts, header: header) } else {
                    .file(taken.file, facts: drop.facts)
                }
            let collected = try collector.collect(source, as: description, betweenBlocks: pause)
            return Enrolment.Candidate(
                report: collected.report, source: .publication(collected.publication), drop: drop, isBegun: isBegun)
        } catch {
            leave(drop, because: error, &summary)
            return nil
        }
    }

    private func leave(_ drop: TakenDrop, because error: any Error, _ summary: inout Summary) {
        let cause: LeftSources.Cause
        switch error {
        case is CancellationError:
            // The drop stays in `taken/`, for the next owner.
            return
        case PayloadProblem.changed:
            return leave(Source(drop), for: .young, &summary)
        case let problem as PayloadProblem:
            if case .noSpace = problem {
                summary.isOutOfSpace = true
                cause = .notTaken(problem.description)
            } else {
                cause = .notCollected(problem.description)
            }
        case let error as FileSystemError:
            if error.isOutOfSpace { summary.isOutOfSpace = true }
            let isRead = error.operation == .read && !error.isPassing
            cause = isRead ? .notCollected(DropZone.unreadable(error)) : .notTaken("\(error)")
        default:
            cause = .notCollected("cannot be stored: \(error)")
        }
        leave(Source(drop), cause, &summary)
    }
}
