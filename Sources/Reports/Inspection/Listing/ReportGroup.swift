import Background
package import Diagnosis
import DurableIO

/// Reports of one signature, or those of one kind that have none, as one line of a listing.
package struct ReportGroup: Sendable {
    /// What the reports of a group have in common.
    enum Key: Hashable, Sendable {
        /// The 16 hexadecimal digits as a number.
        case signature(UInt64)
        /// Nobody knows the kind of a drop before it has come in.
        case kind(String?)

        init(signature: String?, kind: String?) {
            if let signature, ReportProperties.isSignature(signature), let digits = UInt64(signature, radix: 16) {
                self = .signature(digits)
            } else {
                self = .kind(kind)
            }
        }
    }

    /// What a group needs to know of one report.
    struct Member {
        let state: String
        let kind: String?
        let occurrences: Int64
        /// Milliseconds since the epoch; `nil` where nobody can tell.
        let firstSeen: Int64?
        let lastSeen: Int64?
        let annotations: [String: String]
        let summary: String?
        /// The name of the destination, if it has one.
        var destination: String?
    }

    /// 16 hexadecimal digits; `nil` for reports without one.
    package let signature: String?
    /// The kind of the crash that came last, else of the report that did.
    package private(set) var kind: String?
    package private(set) var count = 0
    /// How often the reports were handed in, all together.
    package private(set) var occurrences: Int64 = 0
    /// Milliseconds since the epoch, both.
    package private(set) var firstSeen: Int64?
    package private(set) var lastSeen: Int64?
    /// The summary of that report.
    package private(set) var summary: String?
    /// Whether services, versions or destinations were left out, because there are more than ``maximumValueCount``.
    package private(set) var isCut = false
    /// In UTF-8, because texts that are equal to Unicode may differ in bytes.
    private var serviceNames: Set<[UInt8]> = []
    private var versionNames: Set<[UInt8]> = []
    private var destinationNames: Set<[UInt8]> = []
    private var counts: [String: Int] = [:]
    private var newest = Int64.min

    /// How many services and how many versions of one group are kept. Programs that give each report another version
    /// must not fill the memory of a person who looks.
    static let maximumValueCount = 1_000

    init(_ key: Key) {
        signature =
            if case .signature(let digits) = key {
                withUnsafeBytes(of: digits.bigEndian) { $0.hexDigits }
            } else {
                nil
            }
    }

    package var services: [String] { Self.texts(serviceNames).sorted() }
    package var versions: [String] { Self.texts(versionNames).sorted(by: VersionOrder.areInOrder) }
    package var destinations: [String] { Self.texts(destinationNames).sorted() }
    /// How many reports are in each state, in the order of a report's life, without the states that no report is in.
    package var states: [(name: String, count: Int)] {
        SpoolStatus.stateNames.compactMap { name in counts[name].map { (name, $0) } }
    }

    mutating func add(_ member: Member) {
        count += 1
        let (sum, overflow) = occurrences.addingReportingOverflow(member.occurrences)
        occurrences = overflow ? .max : sum
        counts[member.state, default: 0] += 1
        if let time = member.firstSeen { firstSeen = min(firstSeen ?? time, time) }
        if let time = member.lastSeen { lastSeen = max(lastSeen ?? time, time) }
        insert(AnnotationKey.service(of: member.annotations), into: \.serviceNames)
        insert(AnnotationKey.version(of: member.annotations), into: \.versionNames)
        insert(member.destination, into: \.destinationNames)
        // The newest crash speaks for the group, and where there is none the newest report. Of reports that came at the
        // same time any may.
        let isCrash = member.kind == crash
        let isNewer = (member.firstSeen ?? .min) > newest
        guard count == 1 || (isCrash == (kind == crash) ? isNewer : isCrash) else { return }
        newest = member.firstSeen ?? .min
        (kind, summary) = (member.kind, member.summary)
    }

    private var crash: String { ReportKind.crash.rawValue }

    private static func texts(_ names: Set<[UInt8]>) -> [String] { names.map { String(decoding: $0, as: UTF8.self) } }

    private mutating func insert(_ text: String?, into names: WritableKeyPath<ReportGroup, Set<[UInt8]>>) {
        guard let value = text.map({ Array($0.utf8) }), !self[keyPath: names].contains(value) else { return }
        if self[keyPath: names].count < Self.maximumValueCount {
            self[keyPath: names].insert(value)
        } else {
            isCut = true
        }
    }

    /// The contract's members, in its order.
    package var json: JSONObject {
        var object = JSONObject()
        object["signature"] = JSONValue(signature)
        object["count"] = JSONValue(count)
        object["occurrences"] = JSONValue(occurrences)
        object["first_seen"] = JSONValue(firstSeen.map(RFC3339.string))
        object["last_seen"] = JSONValue(lastSeen.map(RFC3339.string))
        object["services"] = .array(services.map { .string($0) })
        object["versions"] = .array(versions.map { .string($0) })
        object["states"] = .object(JSONObject(states.map { .init(key: $0.name, value: JSONValue($0.count)) }))
        object["summary"] = JSONValue(summary)
        object["kind"] = JSONValue(kind)
        object["destinations"] = .array(destinations.map { .string($0) })
        if isCut { object["cut"] = .bool(true) }
        return object
    }
}

extension ReportGroup.Member {
    init(_ view: ReportView) {
        state = view.state
        kind = view.kind
        occurrences = view.occurrences
        firstSeen = view.time
        lastSeen = view.lastSeen ?? view.time
        destination = view.destination
        annotations = view.annotations
        summary = view.summary
    }

    init(_ sketch: TransferSketch, _ properties: ReportProperties) {
        state = sketch.state.rawValue
        kind = sketch.label
        occurrences = sketch.seen
        firstSeen = sketch.firstSeenWall
        lastSeen = sketch.lastSeenWall
        destination = sketch.lane.destinationName
        annotations = properties.annotations
        summary = properties.summary
    }
}
