package import Background
package import DurableIO

/// A stored report on its way out: its description, and its bytes in the forms in which they can be sent.
///
/// Only bytes that were stored are given out. A report of up to 256 KiB was checked against its digest when this value
/// was made. A larger one is checked while it is read, before its last bytes are given out.
package struct OutgoingReport: Sendable {
    package let stored: StoredReport
    private let content: Content

    private enum Content {
        case file(ReportSpool, deflated: TransferBody.Segment)
        case memory(payload: [UInt8], deflated: [UInt8])
    }

    /// Opens a report of `queued/`.
    /// - Throws: ``NoAnswer`` when its bytes are missing, or are not those that were stored.
    package init(_ id: ContentHash, in spool: ReportSpool) throws(NoAnswer) {
        let whole = try Self.whole(id, in: spool, isReadInOrder: true)
        stored = whole.report
        content = .file(spool, deflated: whole.deflated)
    }

    /// Makes a report that lies in no spool.
    /// - Parameters:
    ///   - stored: its description.
    ///   - payload: its payload.
    ///   - deflated: the deflate stream of the payload with its trailer.
    package init(_ stored: StoredReport, payload: [UInt8], deflated: [UInt8]) {
        self.stored = stored
        content = .memory(payload: payload, deflated: deflated)
    }

    /// The bytes as they were stored: one gzip member without local names, with the digest `stored.wireHash`.
    package func wireForm() throws(NoAnswer) -> TransferBody {
        let deflated: TransferBody.Segment =
            switch content {
            case .file(_, let segment): segment
            case .memory(_, let bytes): .bytes(bytes)
            }
        return try Self.body([.bytes(WireForm.prefix), deflated])
    }

    /// The payload as it was dropped, inflated while it is read; its digest is `stored.id`.
    /// - Parameters:
    ///   - beginning: bytes that are sent before it. The default is none.
    ///   - end: bytes that are sent after it. The default is none.
    /// - Returns: a body of known size.
    /// - Throws: ``NoAnswer`` when the stored bytes are missing or damaged.
    package func payload(
        behind beginning: [UInt8] = [], before end: [UInt8] = []
    ) throws(NoAnswer) -> TransferBody {
        try Self.body([.bytes(beginning), inflated(), .bytes(end)])
    }

    private func inflated() throws(NoAnswer) -> TransferBody.Segment {
        guard case .file(let spool, let deflated) = content else {
            guard case .memory(let payload, _) = content else { return .bytes([]) }
            return .bytes(payload)
        }
        // An inflated body reads the file by itself, so that a large file has to be checked before.
        if case .range = deflated { _ = try Self.whole(stored.id, in: spool, isReadInOrder: false) }
        let inflated = InflatedBody(
            directory: spool.queued, name: StoredReport.name(of: stored.id), headerByteCount: stored.headerByteCount)
        return .range(of: inflated, offset: 0, length: stored.size)
    }

    /// One gzip member that inflates to the given bytes and the payload behind them. The stored stream is sent as it
    /// lies, so nothing is compressed but the given bytes.
    package func wireForm(behind beginning: [UInt8]) throws(NoAnswer) -> TransferBody {
        let stream: TransferBody.Segment
        let trailer: [UInt8]
        switch content {
        case .memory(_, let bytes), .file(_, deflated: .bytes(let bytes)):
            stream = .bytes(bytes.dropLast(WireForm.trailerByteCount))
            trailer = bytes.suffix(WireForm.trailerByteCount)
        case .file(let spool, deflated: .range):
            // The trailer is needed first, so that all of a large file has to be checked before.
            let whole = try Self.whole(stored.id, in: spool, isReadInOrder: false)
            guard case .range(let file, let offset, let length) = whole.deflated else {
                throw NoAnswer.unsendable("the stored file has changed")
            }
            let end = offset + length - UInt64(WireForm.trailerByteCount)
            stream = .range(of: file, offset: offset, length: end - offset)
            trailer = try Self.bytes(
                of: Self.body([.range(of: file, offset: end, length: UInt64(WireForm.trailerByteCount))]),
                through: spool.files)
        }
        let member: SplicedMember
        do {
            member = try SplicedMember(beginning, before: trailer, payloadByteCount: stored.size)
        } catch {
            throw NoAnswer.localTrouble("\(error)")
        }
        return try Self.body([.bytes(member.beginning), stream, .bytes(member.trailer)])
    }

    /// One gzip member of bytes that are no report's.
    static func wireForm(of bytes: [UInt8]) throws(NoAnswer) -> TransferBody {
        do {
            return try body([.bytes(WireForm.member(of: bytes))])
        } catch let error as NoAnswer {
            throw error
        } catch {
            throw NoAnswer.localTrouble("\(error)")
        }
    }

    private typealias Whole = (report: StoredReport, deflated: TransferBody.Segment)

    private static func whole(
        _ id: ContentHash, in spool: ReportSpool, isReadInOrder: Bool
    ) throws(NoAnswer) -> Whole {
        do {
            let name = StoredReport.name(of: id)
            guard let whole = try spool.checked(name, in: spool.queued, isReadInOrder: isReadInOrder) else {
                throw NoAnswer.missing
            }
            return whole
        } catch let reason as NoAnswer {
            throw reason
        } catch is CancellationError {
            throw NoAnswer.interrupted
        } catch let error as DamagedReport {
            throw NoAnswer.unsendable("the stored file is damaged: \(error)")
        } catch let error as FileSystemError {
            throw NoAnswer.reading(error)
        } catch {
            throw NoAnswer.unsendable("\(error)")
        }
    }

    /// The file system that the report is read through.
    var files: any FileSystem {
        if case .file(let spool, _) = content { spool.files } else { POSIXFileSystem() }
    }

    static func body(_ segments: [TransferBody.Segment]) throws(NoAnswer) -> TransferBody {
        do {
            return try TransferBody(segments)
        } catch {
            throw NoAnswer.unsendable("the stored file is damaged: \(error)")
        }
    }
}

/// What is known of a report without its file: enough to decide where it goes.
package struct ReportOutline: Sendable {
    package let id: String
    package let properties: ReportProperties
    /// Of the payload, in bytes.
    package let size: UInt64
    /// What is sent in the usual form, in bytes.
    package let wireSize: UInt64

    package init(_ report: StoredReport) {
        id = report.id.hex
        properties = report.properties
        size = report.size
        wireSize = report.wireSize
    }

    /// The outline that the ledger has.
    package init(_ record: TransferRecord) {
        let metadata = ReportMetadata(text: record.metadata)
        var properties = metadata.properties
        if let kind = ReportKind(rawValue: record.label) { properties.kind = kind }
        id = record.identifier
        self.properties = properties
        size = metadata.size
        wireSize = UInt64(clamping: record.byteCount)
    }
}
