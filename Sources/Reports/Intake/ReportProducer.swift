import Background
package import DurableIO

/// Collects payloads into a spool without owning it: what it has published, the owner will find.
package struct ReportProducer {
    package let spool: ReportSpool

    package init(spool: ReportSpool) {
        self.spool = spool
    }

    /// A payload that is ready to be published.
    package struct Prepared {
        package let report: StoredReport
        let publication: Publication
        let entry: EntryName
    }

    /// Reads, hashes and compresses a payload into `tmp/`. Nothing is durable yet.
    /// - Throws: ``ReportsError`` naming what is wrong with the payload, or with the disk; `CancellationError` when the
    ///   task was cancelled before the last block.
    package func prepare(
        _ source: consuming PayloadSource, as description: ReportCollector.Description, from subject: String,
        betweenBlocks pause: () -> Void = {}
    ) throws -> Prepared {
        try Annotations.validate(description.annotations)
        do {
            let collected = try ReportCollector(spool: spool).collect(
                source, as: description, betweenBlocks: pause)
            let suffix = "." + EntryName.unique().description + ".gz"
            let entry = EntryName(collected.report.id.hex + suffix)
            return Prepared(
                report: collected.report, publication: collected.publication,
                entry: entry ?? StoredReport.name(of: collected.report.id))
        } catch let error as CancellationError {
            throw error
        } catch {
            throw Self.explain(error, subject)
        }
    }

    /// Makes prepared reports durable, together. When it returns the promise holds for each.
    package func store(_ group: [Prepared]) throws(ReportsError) {
        do {
            let entries = group.map { Publication.Entry($0.publication, as: $0.entry) }
            _ = try Publication.publish(entries, in: spool.collected, files: spool.files)
        } catch {
            throw Self.explain(error, "the spool \(spool.root.path)")
        }
    }

    /// Refuses a payload of so many bytes that will not fit, before it is read.
    package func checkSpace(for size: UInt64, from subject: String) throws(ReportsError) {
        do {
            try ReportCollector(spool: spool).checkSpace(for: size)
        } catch {
            throw Self.explain(error, subject)
        }
    }

    /// Refuses a file that will not fit, before it is read; `nil` where nothing is known of it.
    package func checkSpace(for facts: FileMetadata?, from subject: String) throws(ReportsError) {
        do {
            try ReportCollector(spool: spool).checkSpace(for: facts)
        } catch {
            throw Self.explain(error, subject)
        }
    }

    /// Files an order to the owner.
    package func file(_ order: Order) throws(ReportsError) {
        do {
            let publication = try spool.newPublication()
            try publication.write(order.bytes)
            _ = try publication.publish(as: Order.newName(), in: spool.collected)
        } catch {
            throw Self.explain(error, "request")
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
