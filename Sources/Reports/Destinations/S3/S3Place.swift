import Background
import DurableIO

/// Where the requests for a bucket go.
///
/// Without another server, the bucket stands in the host name, or in the path when it has a dot, because the
/// certificate of `*.s3.REGION.amazonaws.com` covers no dot. With another server it stands in the path, unless the
/// user says otherwise.
struct S3Place: Sendable {
    let bucket: String
    let region: String
    /// `nil` for Amazon's.
    let server: Endpoint?
    let isVirtual: Bool

    /// The region that is signed for where another server is named and no region.
    static let usualRegion = "us-east-1"

    init(bucket: String, region: String, server: Endpoint?, style: S3Address.Style?) throws(ReportsError) {
        self.bucket = bucket
        self.region = region
        self.server = server
        isVirtual = style.map { $0 == .virtual } ?? (server == nil && !bucket.contains("."))
        try check()
    }

    private func check() throws(ReportsError) {
        guard isVirtual || server == nil else {
            guard Self.isLenientName(bucket) else {
                throw S3Address.problem("names a bucket that is none: 3 to 255 of A-Z, a-z, 0-9, ., _ and -")
            }
            return
        }
        guard Self.isName(bucket) else {
            throw S3Address.problem(
                "names a bucket that is none: 3 to 63 of a-z, 0-9, . and -, a letter or digit at both ends")
        }
        guard server != nil || Self.isHostLabel(region) else {
            throw S3Address.problem("has a region that is none of Amazon's, as eu-central-1 is one")
        }
        if isVirtual, let server, server.host.hasPrefix("[") || NetworkAddress(server.host[...]) != nil {
            throw S3Address.problem("has style=virtual, but its server is an address and no host name: use style=path")
        }
    }

    /// The rules of Amazon's for new buckets.
    private static func isName(_ text: String) -> Bool {
        guard (3...63).contains(text.utf8.count), NetworkAddress(text[...]) == nil else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isHostLabel(String($0)) }
    }

    /// Old buckets and other servers know more names.
    private static func isLenientName(_ text: String) -> Bool {
        (3...255).contains(text.utf8.count) && text.utf8.first?.isASCIIAlphanumeric == true
            && text.utf8.allSatisfy { $0.isASCIIAlphanumeric || "._-".utf8.contains($0) }
    }

    private static func isHostLabel(_ text: String) -> Bool {
        let isEdge = { (byte: UInt8?) in byte.map { $0.isASCIIAlphanumeric } ?? false }
        return isEdge(text.utf8.first) && isEdge(text.utf8.last)
            && text.utf8.allSatisfy { byte in
                byte.isASCIIDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "-")
            }
    }

    // MARK: - Addresses

    var isSecure: Bool { server?.isSecure ?? true }

    /// The same bucket in another region.
    /// - Returns: `nil` where that would not be one of Amazon's servers under the same credentials.
    func moved(to region: String) -> S3Place? {
        guard server == nil, Self.isRegion(region), Self.suffix(region) == Self.suffix(self.region) else { return nil }
        return try? S3Place(bucket: bucket, region: region, server: nil, style: isVirtual ? .virtual : .path)
    }

    /// Whether a text from a server can be the name of a region of Amazon's: `[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}`. It
    /// becomes a part of a host name to which signed requests go.
    static func isRegion(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count >= 3, let first = parts.first, let last = parts.last, text.utf8.count <= 40 else {
            return false
        }
        let isWord = { (part: Substring.UTF8View) in
            !part.isEmpty && part.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
        }
        return parts.dropLast().allSatisfy(isWord) && (2...4).contains(first.count)
            && (1...2).contains(last.count) && last.allSatisfy(\.isASCIIDigit)
    }

    private static func suffix(_ region: String) -> String {
        region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
    }

    /// What stands before the key, with a slash at the end.
    private var base: String {
        guard let server else {
            let host = "s3.\(region).\(Self.suffix(region))"
            return isVirtual ? "https://\(bucket).\(host)/" : "https://\(host)/\(bucket)/"
        }
        let path = server.path.hasSuffix("/") ? server.path : server.path + "/"
        return isVirtual
            ? "\(server.scheme)://\(bucket).\(server.authority)\(path)"
            : "\(server.scheme)://\(server.authority)\(path)\(bucket)/"
    }

    /// The address of an object.
    func endpoint(key: String) throws(Endpoint.Problem) -> Endpoint {
        let path = PercentEncoding.encode(key) { PercentEncoding.isUnreserved($0) || $0 == UInt8(ascii: "/") }
        return try Endpoint(base + path)
    }

    /// The name of the gate: servers limit each bucket by itself.
    func gateKey(of endpoint: Endpoint) -> String {
        isVirtual ? endpoint.origin : "\(endpoint.origin)/\(bucket)"
    }
}
