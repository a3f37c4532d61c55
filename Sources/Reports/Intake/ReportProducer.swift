import Background
package import DurableIO
import SystemPackage

/// Collects payloads into a spool without owning it: what it has published, the owner will find.
///
/// A producer of the spool's own user publishes in `collected/`. One of another user drops each payload, packed and
/// described by its header, into the drop zone of a spool that is shared.
package struct ReportProducer {
    /// Where it publishes.
    private enum Outlet {
        case collected(Directory)
        case dropZone(Directory)
    }

    /// Where it writes what it publishes.
    package let room: CollectingRoom
    private let outlet: Outlet
    private let path: FilePath

    package init(spool: ReportSpool) {
        room = spool.collecting
        outlet = .collected(spool.collected)
        path = spool.root.path
    }

    package init(zone: SharedDropZone) {
        room = zone.room
        outlet = .dropZone(zone.room.directory)
        path = zone.path
    }

    /// A payload that is ready to be published.
    package struct Prepared {
        package let report: StoredReport
        let publication: Publication
        let entry: EntryName
    }

    /// Reads, hashes and compresses a payload into a temporary file. Nothing is durable yet.
    /// - Throws: ``ReportsError`` naming what is wrong with the payload, or with the disk; `CancellationError` when the
    ///   task was cancelled before the last block.
    package func prepare(
        _ source: consuming PayloadSource, as description: ReportCollector.Description, from subject: String,
        betweenBlocks pause: () -> Void = {}
    ) throws -> Prepared {
        try Annotations.validate(description.annotations)
        do {
            let collected = try ReportCollector(in: room).collect(source, as: description, betweenBlocks: pause)
            return Prepared(
                report: collected.report, publication: collected.publication, entry: newName(of: collected.report))
        } catch let error as CancellationError {
            throw error
        } catch {
            throw Self.explain(error, subject)
        }
    }

    /// A drop's name says nothing of the payload: nobody can then take it for what it is not, or guess it.
    private func newName(of report: StoredReport) -> EntryName {
        switch outlet {
        case .collected: .unique(prefix: report.id.hex + ".", suffix: ".gz")
        case .dropZone: .unique(suffix: ".gz")
        }
    }

    /// Makes prepared reports durable, together. When it returns the promise holds for each.
    package func store(_ group: [Prepared]) throws(ReportsError) {
        do {
            let entries = group.map { Publication.Entry($0.publication, as: $0.entry) }
            switch outlet {
            case .collected(let directory):
                _ = try Publication.publish(entries, in: directory, files: room.files)
            case .dropZone(let directory):
                try Publication.publish(entries, inUnlisted: directory, files: room.files)
            }
        } catch {
            throw Self.explain(error, "the spool \(path)")
        }
    }

    /// Refuses a payload of so many bytes that will not fit, before it is read.
    package func checkSpace(for size: UInt64, from subject: String) throws(ReportsError) {
        do {
            try ReportCollector(in: room).checkSpace(for: size)
        } catch {
            throw Self.explain(error, subject)
        }
    }

    /// Refuses a file that will not fit, before it is read; `nil` where nothing is known of it.
    package func checkSpace(for facts: FileMetadata?, from subject: String) throws(ReportsError) {
        do {
            try ReportCollector(in: room).checkSpace(for: facts)
        } catch {
            throw Self.explain(error, subject)
        }
    }

    private static let changedWords =
        "changed while it was read, and is no log that only grows: add what it holds at one moment with "
        + "'cat FILE | reports add -'"

    static func explain(_ error: any Error, _ subject: String) -> ReportsError {
        switch error {
        case let error as ReportsError:
            return error
        case let problem as PayloadProblem:
            if case .changed = problem {
                return ReportsError(.badPayload, "\(subject): \(changedWords)", underlyingError: problem)
            }
            let code = ReportsError.Code.cannotWrite
            return ReportsError(code, "\(subject): \(problem)", underlyingError: problem)
        case let error as FileSystemError where error.isOutOfSpace:
            return ReportsError(
                .cannotWrite, "\(subject): no space left in the spool (\(error)): free some, then add it again",
                underlyingError: error)
        case let error as FileSystemError where error.operation == .read:
            return ReportsError(.badPayload, "\(subject): cannot be read: \(error.errno)", underlyingError: error)
        case let error as FileSystemError:
            return ReportsError(
                .cannotWrite, "\(subject): \(error): \(SpoolErrors.advice(error))", underlyingError: error)
        default:
            return ReportsError(.cannotWrite, "\(subject): \(error)", underlyingError: error)
        }
    }
}
