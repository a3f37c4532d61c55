import HTTPTypes

/// The versions of "Resumable Uploads for HTTP" spoken here: draft-ietf-httpbis-resumable-upload-09 and later, and -04
/// and -05, which is what others have built.
enum InteropVersion: Int, Sendable, CaseIterable {
    case eight = 8
    case six = 6
}

/// What a server takes, from its `Upload-Limit`: sizes in bytes. A member of a wrong type voids the field.
struct UploadLimit: Hashable, Sendable {
    var maximumSize: UInt64?
    var minimumSize: UInt64?
    var maximumAppend: UInt64?
    var minimumAppend: UInt64?

    init() {}

    /// Reads a dictionary of integers (RFC 9651); unknown members are passed over.
    init?(_ fields: HTTPFields) {
        let names = ["max-size", "min-size", "max-append-size", "min-append-size"]
        guard let limits = fields.wholeNumbers(of: names, in: .uploadLimit) else { return nil }
        maximumSize = limits[names[0]]
        minimumSize = limits[names[1]]
        maximumAppend = limits[names[2]]
        minimumAppend = limits[names[3]]
    }
}

extension HTTPFields {
    /// `Upload-Offset` as a number of bytes.
    var uploadOffset: UInt64? { wholeNumber(of: .uploadOffset) }

    /// `Upload-Complete`; `nil` when it is not there or none.
    var isUploadComplete: Bool? { boolean(of: .uploadComplete) }

    /// A caller's fields that go with each part, credentials above all; what describes the whole content does not.
    var ofEachPart: HTTPFields {
        var fields = HTTPFields()
        for field in self {
            let name = field.name.canonicalName
            if name.hasPrefix("content-") || name.hasPrefix("report-") || name.hasSuffix("-digest") { continue }
            // The key is the whole's: whoever remembers answers by it would give a part the answer of the beginning.
            if name == "idempotency-key" { continue }
            fields.append(field)
        }
        return fields
    }
}
