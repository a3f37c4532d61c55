import Digests
import DurableIO
import HTTPTypes
import Synchronization

/// Signs requests with AWS Signature Version 4, in the way of S3: the path is signed as it is sent, neither normalised
/// nor encoded a second time.
///
/// A pure value. The time is the one of the header field `x-amz-date`, which has to be among the fields, as has
/// `host`.
struct SignatureV4: Sendable {
    let key: S3AccessKey
    let region: String
    /// `YYYYMMDDTHHMMSSZ`.
    let date: String

    private static let algorithm = "AWS4-HMAC-SHA256"

    /// A time, in milliseconds since 1970, as it stands in `x-amz-date`.
    static func date(milliseconds: Int64) -> String {
        let digits = RFC3339.string(milliseconds: milliseconds).utf8.prefix(19).filter {
            $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ":")
        }
        return String(decoding: digits, as: UTF8.self) + "Z"
    }

    private var day: String { String(date.prefix(8)) }
    private var scope: String { "\(day)/\(region)/s3/aws4_request" }

    /// The value of `Authorization`.
    /// - Parameters:
    ///   - method: of the request.
    ///   - target: its path and query, as they are sent.
    ///   - fields: its header fields, without `Authorization`.
    ///   - payloadHash: the hash of its body, as in `x-amz-content-sha256`.
    ///   - keys: keeps the signing key.
    /// - Returns: the value, which holds the name of the access key and no secret.
    func authorization(
        _ method: String, _ target: String, _ fields: HTTPFields, payloadHash: String, keys: SigningKeys = SigningKeys()
    ) -> String {
        let signed = Self.signed(fields)
        let canonical = Self.canonicalRequest(method, target, signed, payloadHash: payloadHash)
        let code = AuthenticationCode.of(
            Array(stringToSign(canonical).utf8), key: keys.key(secret: key.secret, day: day, region: region))
        return "\(Self.algorithm) Credential=\(key.id)/\(scope), SignedHeaders=\(Self.names(signed)), "
            + "Signature=\(code.hexDigits)"
    }

    func stringToSign(_ canonicalRequest: String) -> String {
        let hash = ContentHash(of: Array(canonicalRequest.utf8)).hex
        return [Self.algorithm, date, scope, hash].joined(separator: "\n")
    }

    // MARK: - The canonical request

    static func canonicalRequest(
        _ method: String, _ target: String, _ fields: HTTPFields, payloadHash: String
    ) -> String {
        canonicalRequest(method, target, signed(fields), payloadHash: payloadHash)
    }

    private typealias Field = (name: String, value: String)

    private static func canonicalRequest(
        _ method: String, _ target: String, _ fields: [Field], payloadHash: String
    ) -> String {
        let path = target.prefix { $0 != "?" }
        let lines = fields.map { "\($0.name):\($0.value)\n" }.joined()
        return [method, String(path), query(target[path.endIndex...].dropFirst()), lines, names(fields), payloadHash]
            .joined(separator: "\n")
    }

    private static func query(_ text: Substring) -> String {
        let items = text.split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (name: String(parts[0]), value: parts.count > 1 ? String(parts[1]) : "")
        }
        return items.sorted { $0 < $1 }.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }

    private static func names(_ fields: [Field]) -> String {
        fields.map(\.name).joined(separator: ";")
    }

    /// The fields that are signed, in their order, with lines of the same name as one.
    private static func signed(_ fields: HTTPFields) -> [Field] {
        var values: [String: [String]] = [:]
        for field in fields {
            let name = field.name.canonicalName
            guard !unsigned.contains(name), !name.hasPrefix("proxy-") else { continue }
            values[name, default: []].append(squeezed(field.value))
        }
        return values.map { (name: $0.key, value: $0.value.joined(separator: ",")) }.sorted {
            $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
    }

    /// Without blanks at the ends, and with one for each run of them.
    static func squeezed(_ value: String) -> String {
        value.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
    }

    /// What somebody on the way may change, or the transport sets.
    private static let unsigned: Set<String> = [
        "authorization", "connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding",
        "upgrade", "user-agent", "x-amzn-trace-id",
    ]
}

/// The last key that requests were signed with: it holds for a day and a region.
final class SigningKeys: Sendable {
    private struct Entry: Sendable {
        let secret: String
        let day: String
        let region: String
        let key: [UInt8]
    }

    private let last = Mutex<Entry?>(nil)

    func key(secret: String, day: String, region: String) -> [UInt8] {
        last.withLock { last in
            if let entry = last, entry.secret == secret, entry.day == day, entry.region == region { return entry.key }
            let key = [day, region, "s3", "aws4_request"].reduce(Array("AWS4\(secret)".utf8)) { key, text in
                AuthenticationCode.of(Array(text.utf8), key: key)
            }
            last = Entry(secret: secret, day: day, region: region, key: key)
            return key
        }
    }
}
