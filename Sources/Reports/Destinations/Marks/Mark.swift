import Diagnosis
import DurableIO

/// A place in an endpoint that is filled in for each report, as `{id}`.
///
/// The times are those of the moment at which the report was collected, in UTC, so that the address of a report is the
/// same at each attempt. `{annotation:NAME}` is the value of an annotation, and empty where the report has none of that
/// name.
enum Mark: Hashable, Sendable {
    case id
    case kind
    case format
    case host
    case time(TimePart)
    case annotation(String)

    /// A part of a time. The raw value is the name of the mark.
    enum TimePart: String, CaseIterable, Sendable {
        case year = "yyyy"
        case month = "mm"
        case day = "dd"
        case hour = "HH"
    }

    /// What people are told of the marks that there are.
    static let known =
        "the marks are {id}, {kind}, {format}, {host}, {yyyy}, {mm}, {dd}, {HH} and {annotation:NAME}"

    private static let annotationPrefix = "annotation:"

    /// The mark of what stands between the braces; `nil` for any other text.
    init?(_ name: Substring) {
        switch name {
        case "id": self = .id
        case "kind": self = .kind
        case "format": self = .format
        case "host": self = .host
        default:
            if let part = TimePart(rawValue: String(name)) {
                self = .time(part)
                return
            }
            let key = String(name.dropFirst(Self.annotationPrefix.count))
            guard name.hasPrefix(Self.annotationPrefix), Annotations.isKey(key) else { return nil }
            self = .annotation(key)
        }
    }

    /// The mark as it is written.
    var text: String {
        switch self {
        case .id: "{id}"
        case .kind: "{kind}"
        case .format: "{format}"
        case .host: "{host}"
        case .time(let part): "{\(part.rawValue)}"
        case .annotation(let key): "{\(Self.annotationPrefix)\(key)}"
        }
    }
}

/// What the marks stand for in the address of one report.
struct MarkValues: Sendable {
    let id: String
    let properties: ReportProperties
    /// The name of this machine.
    let host: String

    init(id: String, properties: ReportProperties, host: String) {
        self.id = id
        self.properties = properties
        self.host = host
    }

    init(_ report: StoredReport, host: String) {
        self.init(id: report.id.hex, properties: report.properties, host: host)
    }

    init(_ report: ReportOutline, host: String) {
        self.init(id: report.id, properties: report.properties, host: host)
    }

    /// Those of a report that there is not.
    static func example(host: String) -> MarkValues {
        let properties = ReportProperties(
            kind: .crash, from: .given, format: "text", contentType: "text/plain", name: nil, collectedAt: 0,
            annotations: [:], summary: "")
        return MarkValues(id: String(repeating: "0", count: 64), properties: properties, host: host)
    }

    /// The value as it is: the address that it goes into has to encode it.
    subscript(mark: Mark) -> String {
        switch mark {
        case .id: id
        case .kind: properties.kind.rawValue
        case .format: properties.format
        case .host: host
        case .annotation(let key): properties.annotations[key] ?? ""
        case .time(let part): text(of: part)
        }
    }

    private func text(of part: Mark.TimePart) -> String {
        let time = RFC3339.string(milliseconds: properties.collectedAt).utf8
        let (start, count) =
            switch part {
            case .year: (0, 4)
            case .month: (5, 2)
            case .day: (8, 2)
            case .hour: (11, 2)
            }
        return String(Substring(time.dropFirst(start).prefix(count)))
    }
}
