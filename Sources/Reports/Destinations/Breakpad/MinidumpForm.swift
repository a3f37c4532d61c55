import Diagnosis
import DurableIO

/// The form that a collector of minidumps gets: what the report is, its annotations, and the dump as the last part.
///
/// Breakpad's own senders and Mozilla's call the program and its version by different names. Collectors look at the
/// names they know, and keep the others as they are, so both are sent. How large the form can be follows from the bounds
/// of annotations (``Annotations``): some 200 KiB at the worst.
struct MinidumpForm: Sendable {
    /// The program that a dump is of, where an annotation or the dump itself names it.
    struct Product: Hashable, Sendable {
        var name: String?
        var version: String?

        /// What the annotations say.
        init(_ annotations: [String: String]) {
            name =
                AnnotationKey.first(["product", "productname", "prod"], in: annotations)
                ?? AnnotationKey.service(of: annotations)
            version = AnnotationKey.version(of: annotations) ?? AnnotationKey.first(["ver"], in: annotations)
        }

        /// Whether the dump has nothing to add.
        var isKnown: Bool { name != nil && version != nil }

        /// Adds what the dump says.
        mutating func add(_ crash: Crash) {
            name = name ?? crash.program
            version = version ?? crash.version
        }
    }

    /// The name of the dump's part.
    static let fileField = "upload_file_minidump"

    let report: StoredReport
    let product: Product

    var multipart: MultipartForm {
        MultipartForm(
            fields: fields, file: Self.fileField, fileName: "\(report.id.hex.prefix(12)).dmp", hash: report.id)
    }

    /// The text fields: ours, and then the annotations by their names.
    var fields: [MultipartForm.Field] {
        let own = ownFields
        let annotations = report.properties.annotations.sorted { $0.key < $1.key }
            .filter { !Self.ownNames.contains($0.key) && !Self.refusedNames.contains($0.key.lowercased()) }
        return own + annotations.map { MultipartForm.Field(name: $0.key, value: $0.value) }
    }

    private var ownFields: [MultipartForm.Field] {
        let properties = report.properties
        let fields: [(name: String, value: String?)] = [
            ("prod", product.name), ("ProductName", product.name), ("ver", product.version),
            ("Version", product.version), ("guid", "\(ReportUUID(report.id))"), ("report_id", report.id.hex),
            ("report_kind", properties.kind.rawValue),
            ("report_collected_at", RFC3339.string(milliseconds: properties.collectedAt)),
            ("report_occurred_at", properties.occurredAt.map { RFC3339.string(milliseconds: $0) }),
            ("sentry", sentry.description),
        ]
        return fields.compactMap { name, value in value.map { MultipartForm.Field(name: name, value: $0) } }
    }

    /// No annotation has one of these, also where this form has no value for it.
    private static let ownNames: Set<String> = [
        "prod", "ProductName", "ver", "Version", "guid", "report_id", "report_kind", "report_collected_at",
        "report_occurred_at", "sentry",
    ]

    /// Names that mean something else to collectors: Mozilla's refuses a form with `uuid` in it (401), and keeps files of
    /// its own by the other names.
    private static let refusedNames: Set<String> = ["uuid", "dump_names", "processed_crash", "raw_crash", fileField]

    // MARK: - Sentry

    /// What Sentry's endpoint for minidumps reads of an event, as JSON. The id makes a repeat the same event there.
    private var sentry: JSONValue {
        let annotations = report.properties.annotations
        var object = JSONObject()
        object["event_id"] = .string(ReportUUID(report.id).hex)
        object["release"] = release.map { .string($0) }
        object["environment"] = AnnotationKey.first(["environment"], in: annotations).map { .string($0) }
        let tags = annotations.filter { Self.isTag($0.key, $0.value) }.sorted { $0.key < $1.key }
        if !tags.isEmpty {
            object["tags"] = .object(JSONObject(tags.map { JSONObject.Member(key: $0.key, value: .string($0.value)) }))
        }
        return .object(object)
    }

    private var release: String? {
        if let release = AnnotationKey.first(["release"], in: report.properties.annotations) { return release }
        return product.version.map { version in product.name.map { "\($0)@\(version)" } ?? version }
    }

    /// Sentry throws away tags that are longer, or of more than one line.
    private static func isTag(_ key: String, _ value: String) -> Bool {
        key.utf8.count <= 32 && !value.isEmpty && value.unicodeScalars.count <= 200
            && !value.contains(where: \.isNewline) && !["release", "environment"].contains(key.lowercased())
    }
}
