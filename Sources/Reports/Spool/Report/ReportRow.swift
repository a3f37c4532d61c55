package import Background
import DurableIO

extension Lane {
    /// The lane of reports that go to the only destination.
    package static let main = Lane("main")
}

extension NewTransfer {
    /// A row for a file that does not say what it is.
    init(damaged id: ContentHash, byteCount: UInt64, seenWall: Int64) {
        self.init(
            identifier: id.hex, lane: .main, label: ReportKind.other.rawValue, rank: ReportRank.unknown, metadata: "{}",
            byteCount: Int64(clamping: byteCount), seenWall: seenWall)
    }

    /// A row that the file's own description gives.
    init(_ report: StoredReport) {
        let properties = report.properties
        self.init(
            identifier: report.id.hex, lane: .main, label: properties.kind.rawValue, rank: properties.rank,
            metadata: ReportMetadata(report).text, byteCount: Int64(clamping: report.wireSize),
            seenWall: properties.collectedAt, request: properties.request?.stored(id: report.id),
            signature: properties.signature)
        service = AnnotationKey.service(of: properties.annotations)
        occurredWall = properties.occurredAt
    }
}
