import DurableIO

/// An absolute http or https URL, taken apart only as far as sending needs it.
///
/// User names and passwords are refused: they would end up in logs and process lists.
package struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    package enum Problem: String, Error, Sendable, CustomStringConvertible {
        case noScheme = "has no scheme: write http:// or https:// in front"
        case unknownScheme = "has a scheme other than http and https"
        case noHost = "names no host"
        case badHost = "names a host that is neither a host name nor an address; write an IPv6 address in brackets"
        case badPort = "has a port that is not a number from 1 to 65535"
        case hasUserInfo = "holds a user name or password: send them in a header"
        case badCharacter = "holds a space, a control character or another character that must be written as %XX"

        package var description: String { rawValue }
    }

    /// `http` or `https`.
    package let scheme: String
    /// Lower case, brackets of an IPv6 address included.
    package let host: String
    package let port: Int
    /// Path and query, beginning with `/`.
    package let path: String

    package init(_ text: String) throws(Problem) {
        guard text.utf8.allSatisfy(Self.isAccepted) else { throw .badCharacter }
        guard let mark = Self.authorityMark(in: text) else { throw .noScheme }
        scheme = text[..<mark].lowercased()
        guard scheme == "http" || scheme == "https" else { throw .unknownScheme }
        // By bytes, which are characters here: this is done for each report.
        let rest = text.utf8[mark...].dropFirst(3).prefix { $0 != UInt8(ascii: "#") }
        let authority = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        guard !authority.contains(UInt8(ascii: "@")) else { throw .hasUserInfo }
        let tail = Substring(rest[authority.endIndex...])
        path = tail.isEmpty ? "/" : (tail.utf8.first == UInt8(ascii: "?") ? "/" + tail : String(tail))
        (host, port) = try Self.hostAndPort(Substring(authority), isSecure: scheme == "https")
    }

    /// Where the first `://` begins.
    private static func authorityMark(in text: String) -> String.Index? {
        text.utf8.indices.first { text.utf8[$0] == UInt8(ascii: ":") && text.utf8[$0...].starts(with: "://".utf8) }
    }

    private static func isAccepted(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"), UInt8(ascii: "^"),
            UInt8(ascii: "`"), UInt8(ascii: "|"):
            false
        default: byte > 0x20 && byte < 0x7f
        }
    }

    private static func hostAndPort(
        _ authority: Substring, isSecure: Bool
    ) throws(Problem) -> (String, Int) {
        var host = authority
        var port = isSecure ? 443 : 80
        let afterBracket = authority.lastIndex(of: "]") ?? authority.startIndex
        if let colon = authority[afterBracket...].lastIndex(of: ":") {
            host = authority[..<colon]
            let digits = authority[authority.index(after: colon)...]
            if !digits.isEmpty {
                guard let number = UInt64(digits: digits), (1...65_535).contains(number) else { throw .badPort }
                port = Int(number)
            }
        }
        guard !host.isEmpty, host != "[]" else { throw .noHost }
        guard isHost(host) else { throw .badHost }
        return (host.lowercased(), port)
    }

    /// Whatever is let through here reaches the client, whose parsers stop the process at some of what is none, and a
    /// redirect may bring anything.
    private static func isHost(_ host: Substring) -> Bool {
        if host.hasPrefix("[") {
            return host.hasSuffix("]") && host.contains(":") && NetworkAddress(host.dropFirst().dropLast()) != nil
        }
        // A name in DNS has no more (RFC 1035, section 3.1).
        return host.utf8.count <= 253
            && host.utf8.allSatisfy { byte in
                byte.isASCIIAlphanumeric || ".-_~".utf8.contains(byte)
            }
    }

    package var isSecure: Bool { scheme == "https" }

    /// Scheme, host and port: what a gate is for.
    package var origin: String { "\(scheme)://\(host):\(port)" }

    package var isLoopback: Bool {
        // A name may begin like an address: 127.example.
        host == "localhost" || host == "[::1]" || host.hasPrefix("127.") && NetworkAddress(host[...]) != nil
    }

    /// Host, and the port where it is not the scheme's own.
    package var authority: String {
        port == (isSecure ? 443 : 80) ? host : "\(host):\(port)"
    }

    package var description: String { "\(scheme)://\(authority)\(path)" }

    /// For people: a query may hold a secret.
    package var withoutQuery: String { "\(scheme)://\(authority)\(path.prefix { $0 != "?" })" }

    /// The target of a `Location`, absolute or relative to this one (RFC 3986, section 5); `nil` when it names no place
    /// that http or https reach.
    package func resolving(location: String) -> Endpoint? {
        if location.hasPrefix("//") { return try? Endpoint("\(scheme):\(location)") }
        if location.hasPrefix("/") { return try? Endpoint(origin + location) }
        let beforePath = location.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !location.isEmpty, !location.hasPrefix("#"), !beforePath.contains(":") else {
            return try? Endpoint(location)
        }
        let ownPath = path.prefix { $0 != "?" }
        if location.hasPrefix("?") { return try? Endpoint(origin + ownPath + location) }
        let folder = ownPath.lastIndex(of: "/").map { ownPath[...$0] } ?? "/"
        return try? Endpoint(origin + Self.removingDotSegments(folder + location))
    }

    /// RFC 3986, section 5.2.4, for a path that begins with `/`.
    private static func removingDotSegments(_ text: String) -> String {
        let path = text.prefix { $0 != "?" && $0 != "#" }
        var segments: [Substring] = []
        let all = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (position, segment) in all.enumerated() {
            let isLast = position == all.count - 1
            switch segment {
            case ".", "..":
                if segment == "..", !segments.isEmpty { segments.removeLast() }
                if isLast { segments.append("") }
            default: segments.append(segment)
            }
        }
        return "/" + segments.joined(separator: "/") + text[path.endIndex...]
    }
}
