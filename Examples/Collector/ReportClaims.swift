import Foundation
import Hummingbird

/// What the headers of a request say about the report in its body.
///
/// Every header is optional, so that a plain `curl -T` works; one that is there must be right.
struct ReportClaims: Sendable {
    /// The id, from the path or else from `Idempotency-Key`.
    var id: String?
    /// The length of the body as sent, in bytes.
    var contentLength: Int?
    /// Whether the body is compressed; no other coding is understood.
    var isGzip: Bool
    /// SHA-256 of the body as sent, from `Repr-Digest`.
    var wireDigest: Data?
    /// SHA-256 of the payload, from `Unencoded-Digest`.
    var payloadDigest: Data?
    var contentType: String
    var kind: String?
    var collectedAt: String?
    var annotations: [String: String]
    var userAgent: String?

    /// - Throws: `Problem` for a header that cannot be understood, or that contradicts the path.
    init(headers: HTTPFields, pathID: String?) throws {
        id = try Self.identifier(headers: headers, pathID: pathID)
        contentLength = try headers.text("content-length").map { text in
            guard let length = Int(text), length >= 0 else {
                throw Problem(check: "content-length", detail: "Not a number of bytes.")
            }
            return length
        }
        switch headers.text("content-encoding")?.lowercased() {
        case nil, "identity": isGzip = false
        case "gzip", "x-gzip": isGzip = true
        default:
            let detail = "Only gzip and identity are understood."
            throw Problem(status: .unsupportedMediaType, check: "content-encoding", detail: detail)
        }
        wireDigest = try Self.digest(in: headers, of: "repr-digest")
        payloadDigest = try Self.digest(in: headers, of: "unencoded-digest")
        annotations = try Self.annotations(in: headers)
        contentType = headers.text("content-type") ?? "application/octet-stream"
        kind = headers.text("report-kind")
        collectedAt = headers.text("report-collected-at")
        userAgent = headers.text("user-agent")
    }

    private static func identifier(headers: HTTPFields, pathID: String?) throws -> String? {
        if let pathID, !ReportStore.isIdentifier(pathID) { throw Problem.invalidIdentifier(pathID) }
        guard let field = headers.text("idempotency-key") else { return pathID }
        guard let key = StructuredField.string(field) else {
            throw Problem(check: "idempotency-key", detail: "The key is a quoted string: Idempotency-Key: \"<id>\".")
        }
        guard ReportStore.isIdentifier(key) else { throw Problem.invalidIdentifier(key) }
        guard pathID == nil || pathID == key else {
            throw Problem(check: "idempotency-key", detail: "The key and the path name different reports.")
        }
        return key
    }

    /// The SHA-256 among the digests of one field; other algorithms are not looked at, as RFC 9530 wants it.
    private static func digest(in headers: HTTPFields, of name: String) throws -> Data? {
        guard let field = headers.text(name) else { return nil }
        switch StructuredField.dictionary(field).map({ $0["sha-256"] }) {
        case .some(.none):
            return nil
        case .some(.bytes(let digest)) where digest.count == 32:
            return digest
        default:
            throw Problem(check: name, detail: "Expected sha-256=:<base64 of 32 bytes>:.")
        }
    }

    private static func annotations(in headers: HTTPFields) throws -> [String: String] {
        guard let field = headers.text("report-annotations") else { return [:] }
        guard let values = StructuredField.dictionary(field) else {
            throw Problem(check: "report-annotations", detail: "Not a structured-field dictionary.")
        }
        return values.mapValues { value in
            switch value {
            case .text(let text): text
            case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
            }
        }
    }
}

extension HTTPFields {
    /// The value of a field, its lines joined as one list, or nil; `name` is in lower case.
    fileprivate func text(_ name: String) -> String? {
        let values = filter { $0.name.canonicalName == name }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }
}

// MARK: - Structured fields

/// The part of RFC 9651 (structured fields) that reports use: one string, or a dictionary of plain values.
///
/// More is accepted than the RFC allows in one place: keys may have capital letters.
struct StructuredField {
    enum Value: Sendable {
        /// A string, a display string, or a token, number or boolean as it was written.
        case text(String)
        case bytes(Data)
    }

    private var rest: ArraySlice<UInt8>

    private init(_ field: String) {
        rest = Array(field.utf8)[...]
    }

    /// The string that `field` consists of, without its quotes; nil when it is anything else.
    static func string(_ field: String) -> String? {
        var parser = StructuredField(field)
        parser.skipSpace()
        guard parser.take(UInt8(ascii: "\"")), let text = parser.quoted(), parser.skipParameters(),
            parser.rest.isEmpty
        else { return nil }
        return text
    }

    /// The members of a dictionary without their parameters, the last one of each key; nil when it is not one.
    static func dictionary(_ field: String) -> [String: Value]? {
        var parser = StructuredField(field)
        var members: [String: Value] = [:]
        parser.skipSpace()
        while !parser.rest.isEmpty {
            let key = parser.word { $0.isKeyCharacter }
            guard !key.isEmpty else { return nil }
            var value: Value? = .text("?1")
            if parser.take(UInt8(ascii: "=")) {
                value = parser.value()
            }
            guard let value, parser.skipParameters() else { return nil }
            members[key] = value
            guard !parser.rest.isEmpty else { break }
            guard parser.take(UInt8(ascii: ",")) else { return nil }
            parser.skipSpace()
            // A comma at the end is an error in the RFC, and here.
            guard !parser.rest.isEmpty else { return nil }
        }
        return members
    }

    private mutating func value() -> Value? {
        if take(UInt8(ascii: "\"")) { return quoted().map { .text($0) } }
        if take(UInt8(ascii: "%")) {
            // A display string is UTF-8, percent-encoded within its quotes.
            guard take(UInt8(ascii: "\"")), let text = quoted()?.removingPercentEncoding else { return nil }
            return .text(text)
        }
        if take(UInt8(ascii: ":")) {
            let base64 = word { $0 != UInt8(ascii: ":") }
            guard take(UInt8(ascii: ":")), let bytes = Data(base64Encoded: base64) else { return nil }
            return .bytes(bytes)
        }
        let bare = word { $0.isBareCharacter }
        return bare.isEmpty ? nil : .text(bare)
    }

    /// The rest of a quoted string whose opening quote has been taken.
    private mutating func quoted() -> String? {
        var text: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst(), escaped == UInt8(ascii: "\"") || escaped == UInt8(ascii: "\\")
                else { return nil }
                text.append(escaped)
            default:
                text.append(byte)
            }
        }
        return nil
    }

    /// Passes `;name=value` as often as it occurs, and the space after it.
    private mutating func skipParameters() -> Bool {
        skipSpace()
        while take(UInt8(ascii: ";")) {
            skipSpace()
            guard !word({ $0.isKeyCharacter }).isEmpty else { return false }
            if take(UInt8(ascii: "=")), value() == nil { return false }
            skipSpace()
        }
        return true
    }

    private mutating func skipSpace() {
        rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard rest.first == byte else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func word(_ isPart: (UInt8) -> Bool) -> String {
        let bytes = rest.prefix(while: isPart)
        rest = rest[bytes.endIndex...]
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension UInt8 {
    fileprivate var isAlphanumeric: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default:
            false
        }
    }

    fileprivate var isKeyCharacter: Bool { isAlphanumeric || "_-.*".utf8.contains(self) }

    /// Whether it may stand in a token, number, date or boolean.
    fileprivate var isBareCharacter: Bool { isAlphanumeric || "!#$%&'*+-.^_`|~:/?@".utf8.contains(self) }
}
