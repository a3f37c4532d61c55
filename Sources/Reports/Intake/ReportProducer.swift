import Background
package import DurableIO
import SystemPackage

/// A producer of a spool: it collects payloads and publishes them for the owner to find.
///
/// A producer of the spool's own user publishes entries in `collected/`. A producer of another user drops payloads into
/// the drop zone of a shared spool. Each of these drops is packed, and describes its payload in a header.
package struct ReportProducer {
    /// The place where the producer publishes.
    private enum Outlet {
        case collected(ReportSpool)
        case dropZone(Directory)
    }

    /// The directory in which the producer writes files before it publishes them.
    package let room: CollectingRoom
    private let outlet: Outlet
    private let path: FilePath

    package init(spool: ReportSpool) {
        room = spool.collecting
        outlet = .collected(spool)
        path = spool.root.path
    }

    package init(zone: SharedDropZone) {
        room = zone.room
        outlet = .dropZone(zone.room.directory)
        path = zone.path
    }

    /// The annotations that the spool's settings give; none in another user's spool.
    package var rules: AnnotationRules {
        switch outlet {
        case .collected(let spool): spool.annotations
        case .dropZone: AnnotationRules()
        }
    }

    /// Whether the settings of this process give annotations to the reports. In another user's spool that user's
    /// settings do, which this process cannot read: the owner brings them in.
    package var usesSettings: Bool {
        if case .collected = outlet { true } else { false }
    }

    /// A payload that is ready to be published.
    package struct Prepared {
        package let report: StoredReport
        let publication: Publication
        let entry: EntryName
    }

    /// Reads, hashes and compresses a payload into a temporary file. The report is not durable yet.
    ///
    /// The report gets the annotations of the spool's settings besides those of the description.
    /// - Throws: ``ReportsError`` with the fault of the payload, of the annotations or of the disk; `CancellationError`
    ///   when the task was cancelled before the last block.
    package func prepare(
        _ source: consuming PayloadSource, as description: ReportCollector.Description, from subject: String,
        betweenBlocks pause: () -> Void = {}
    ) throws -> Prepared {
        let description = try annotated(description)
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

    /// The description with the annotations of the settings: under the caller's own, but the fixed ones above them.
    ///
    /// Where there is no space for all, those of the settings that are not fixed are left out. The caller's own are not:
    /// that is an error.
    private func annotated(
        _ description: ReportCollector.Description
    ) throws(ReportsError) -> ReportCollector.Description {
        let own = description.annotations
        try Annotations.validate(own)
        let rules = rules
        var description = description
        // The stored report's own bound is larger, and the caller's annotations are to use it.
        description.annotations = rules.merged(with: .init(program: own), withinByteCount: .max)
        guard own.keys.allSatisfy({ description.annotations[$0] != nil || rules.isFixed($0) }) else {
            throw ReportsError(
                .badArgument,
                "\(own.count) annotations are too many beside \(rules.fixedKeys.count) that the settings fix: at most "
                    + "\(Annotations.maximumCount) are kept")
        }
        description.dispensableKeys = Set(rules.values.keys).subtracting(rules.fixedKeys).subtracting(own.keys)
        return description
    }

    /// Makes the name of an entry or of a drop. The name of an entry begins with the report's id. The name of a drop is
    /// random and says nothing about the payload: other users cannot guess the name, and the owner does not judge the
    /// payload by the name.
    private func newName(of report: StoredReport) -> EntryName {
        switch outlet {
        case .collected: .unique(prefix: report.id.hex + ".", suffix: ".gz")
        case .dropZone: .unique(suffix: ".gz")
        }
    }

    /// Publishes prepared reports together. On return each of them survives a crash and a power cut.
    package func store(_ group: [Prepared]) throws(ReportsError) {
        do {
            let entries = group.map { Publication.Entry($0.publication, as: $0.entry) }
            switch outlet {
            case .collected(let spool):
                _ = try Publication.publish(entries, in: spool.collected, files: room.files)
            case .dropZone(let directory):
                try Publication.publish(entries, inUnlisted: directory, files: room.files)
            }
        } catch {
            throw Self.explain(error, "the spool \(path)")
        }
    }

    /// Refuses a payload of a size that would not fit, before the payload is read.
    package func checkSpace(for size: UInt64, from subject: String) throws(ReportsError) {
        do {
            try ReportCollector(in: room).checkSpace(for: size)
        } catch {
            throw Self.explain(error, subject)
        }
    }

    /// Refuses a file that would not fit, before the file is read. `facts` are `nil` when nothing is known of the file.
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
