package import Background
import DurableIO

extension Lane {
    /// The lane of reports that go to the only destination.
    package static let main = Lane("main")
    /// The lane of reports about which no owner with destinations has decided yet, and of those that a route holds.
    package static let undecided = Lane("")
}

extension NewTransfer {
    /// A row for a file that does not say what it is.
    init(damaged id: ContentHash, byteCount: UInt64, seenWall: Int64) {
        self.init(
            identifier: id.hex, lane: .undecided, label: ReportKind.other.rawValue, rank: ReportRank.unknown,
            metadata: "{}", byteCount: Int64(clamping: byteCount), seenWall: seenWall)
    }

    /// A row that the file's own description gives, in a lane. With a note, the report is held and not sent.
    init(_ report: StoredReport, in lane: Lane = .undecided, heldBecause note: String? = nil) {
        let properties = report.properties
        self.init(
            identifier: report.id.hex, lane: lane, label: properties.kind.rawValue, rank: properties.rank,
            metadata: ReportMetadata(report).text, byteCount: Int64(clamping: report.wireSize),
            seenWall: properties.collectedAt, request: properties.request?.stored(id: report.id),
            signature: properties.signature)
        service = AnnotationKey.service(of: properties.annotations)
        occurredWall = properties.occurredAt
        routeNote = properties.request == nil ? note : nil
    }
}
