import Background
import DurableIO

extension SpoolInspector {
    /// The reports to list: those that meet every condition. `nil` and an empty list are no condition.
    package struct Selection: Sendable {
        package var states: Set<String>?
        package var kind: String?
        /// The first of the signature's digits, or all of them.
        package var signature: String?
        /// The name of the destination. Not all reports have one, see ``ReportView/destination``.
        package var destination: String?
        /// Collected at this time or later, in milliseconds since the epoch. For a file of which nobody has said when
        /// it was collected, the time of its last change counts.
        package var since: Int64?
        package var annotations: [AnnotationTest]
        /// Whether only those are listed whose bytes are in the spool.
        package var isUndelivered: Bool
        package var limit: Int?

        package init(
            states: Set<String>? = nil, kind: String? = nil, signature: String? = nil, destination: String? = nil,
            since: Int64? = nil, annotations: [AnnotationTest] = [], isUndelivered: Bool = false, limit: Int? = nil
        ) {
            self.states = states
            self.kind = kind
            self.signature = signature
            self.destination = destination
            self.since = since
            self.annotations = annotations
            self.isUndelivered = isUndelivered
            self.limit = limit
        }
    }
}

extension SpoolInspector.Selection {
    /// Whether a state is one of those asked for.
    func admits(state: String) -> Bool {
        (states?.contains(state) ?? true) && (!isUndelivered || Self.undeliveredStates.contains(state))
    }

    private static let undeliveredStates: Set<String> =
        Set(["incoming"] + TransferState.allCases.filter { $0.isLive || $0.isParked }.map(\.rawValue))

    func admits(_ view: ReportView) -> Bool {
        admits(state: view.state) && admits(reason: view.reason)
            && (kind == nil || view.kind == kind)
            && (signature.map { view.signature?.hasPrefix($0) ?? false } ?? true)
            && (destination == nil || view.destination == destination)
            && (since.map { view.time ?? .max >= $0 } ?? true)
            && admits(view.annotations)
    }

    /// The conditions that no query of the ledger decides.
    func admits(_ sketch: TransferSketch, _ annotations: @autoclosure () -> [String: String]) -> Bool {
        admits(reason: sketch.reason?.rawValue) && (self.annotations.isEmpty || admits(annotations()))
    }

    /// A row can keep the state of a report whose bytes were lost.
    private func admits(reason: String?) -> Bool {
        !isUndelivered || reason != EndReason.bytesMissing.rawValue
    }

    private func admits(_ annotations: [String: String]) -> Bool {
        self.annotations.allSatisfy { $0.holds(in: annotations) }
    }

    // MARK: - In the ledger

    /// The walks that come across each row of the selection, and the filter for their rows.
    ///
    /// Rows of one signature have an index. More than a few signatures that begin alike are left to the filter: a walk
    /// for each of very many would hold a page for each of them.
    func walks(_ queries: LedgerQueries) throws -> (walks: [ListingWalk], filter: ListingFilter) {
        var states = TransferState.allCases.filter { admits(state: $0.rawValue) }
        var filter = ListingFilter()
        if let destination {
            let lane = Lane(destination)
            filter.lane = lane
            let filled = Set(try queries.laneSums().filter { $0.lane == lane && $0.sum.count > 0 }.map(\.state))
            states.removeAll { !filled.contains($0) }
        }
        filter.label = kind
        filter.sinceWall = since
        filter.metadataTexts = annotations.compactMap(\.metadataText)
        guard let signature else { return (states.map { .state($0) }, filter) }
        let signatures =
            ReportProperties.isSignature(signature)
            ? [signature] : try queries.signatures(prefix: signature, limit: Self.walkCount + 1)
        guard signatures.count > Self.walkCount else {
            return (states.isEmpty ? [] : signatures.map { .signature($0, states: states) }, filter)
        }
        filter.signaturePrefix = signature
        return (states.map { .state($0) }, filter)
    }

    private static let walkCount = 8
}

/// A key and a value that a report must be annotated with.
package struct AnnotationTest: Hashable, Sendable {
    /// In lower case, as servers see it.
    private let key: String
    private let value: String

    package init(key: String, value: String) {
        self.key = key.lowercased()
        self.value = value
    }

    /// Whether the value is the same byte for byte. Texts that are equal to Unicode may differ in bytes.
    func holds(in annotations: [String: String]) -> Bool {
        annotations.contains { $0.value.utf8.elementsEqual(value.utf8) && $0.key.lowercased() == key }
    }

    /// A text that stands in the JSON of every row with this annotation; `nil` when none is known.
    ///
    /// A key may be written in any case, so only the value is looked for. How characters beyond ASCII and those that
    /// are escaped were written depends on the version that wrote the row, so the longest part without them is taken.
    var metadataText: String? {
        let parts = value.utf8.split(whereSeparator: { !Self.isWrittenAsItIs($0) })
        guard let longest = parts.max(by: { $0.count < $1.count }) else { return value.isEmpty ? ":\"\"" : nil }
        return longest.count == value.utf8.count ? ":\"\(value)\"" : String(longest)
    }

    private static func isWrittenAsItIs(_ byte: UInt8) -> Bool {
        (0x20..<0x7f).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }
}
