import Background
import Digests
import DurableIO

/// A DSN, the address that Sentry gives to a project: `https://KEY[:SECRET]@HOST[:PORT][/PREFIX]/PROJECT`.
///
/// Whoever has the key may write events, so it counts as a credential. It is in the header of each request and nowhere
/// else, and no message holds any part of the text but the host. The secret is a relic of old servers, which is sent if
/// it is there. Source: Sentry's documentation for authors of SDKs, "Envelopes" and "Authentication".
struct SentryDSN: Sendable {
    let publicKey: String
    let secretKey: String?
    /// The last element of the path. Sentry's projects are numbers; other servers need not do the same.
    let project: String
    /// Where events of the project go. The slash at its end is not optional for every server.
    let envelopeEndpoint: Endpoint

    /// - Parameter text: the DSN. A query in it is nothing that a server reads, and counts for nothing here.
    /// - Throws: ``ReportsError`` with ``ReportsError/Code/badConfiguration``.
    init(_ text: Substring) throws(ReportsError) {
        let text = text.prefix { $0 != "?" }
        guard !text.contains("#") else { throw Self.problem("\(MarkProblem.fragment)") }
        guard let mark = text.ranges(of: "://").first else { throw Self.problem("has no scheme: \(Self.form)") }
        let rest = text[mark.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { throw Self.problem("holds no key: \(Self.form)") }
        let keys = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = keys.first, Self.isKey(first), keys.dropFirst().allSatisfy(Self.isKey) else {
            throw Self.problem("holds a key that is none: letters, digits, -, _ and . make one")
        }
        publicKey = String(first)
        secretKey = keys.dropFirst().first.map(String.init)
        let path = rest[authority.endIndex...].split(separator: "/", omittingEmptySubsequences: true)
        guard let project = path.last else { throw Self.problem("names no project: \(Self.form)") }
        guard Self.isKey(project), path.dropLast().allSatisfy(Self.isPathSegment) else {
            throw Self.problem("has a path that no project has: \(Self.form)")
        }
        self.project = String(project)
        let prefix = path.dropLast().map { "/\($0)" }.joined()
        let server = text[..<mark.upperBound] + authority[authority.index(after: at)...]
        do {
            envelopeEndpoint = try Endpoint("\(server)\(prefix)/api/\(project)/envelope/")
        } catch {
            throw ReportsError(.badConfiguration, "the endpoint \(error)", underlyingError: error)
        }
    }

    /// What the server limits: scheme, host, port, project, and the key by its digest, since the limits of one key are
    /// none of another's.
    var gateKey: String {
        let digest = ContentHash(of: Array(publicKey.utf8)).hex.prefix(8)
        return "\(envelopeEndpoint.origin)/\(project)#\(digest)"
    }

    /// The value of `X-Sentry-Auth`.
    var authentication: String {
        var text = "Sentry sentry_version=7, sentry_client=reports.swift/\(ReportsVersion.current)"
        text += ", sentry_key=\(publicKey)"
        if let secretKey { text += ", sentry_secret=\(secretKey)" }
        return text
    }

    /// A text of the server's without the keys.
    func masked(_ text: String) -> String {
        [publicKey, secretKey].compactMap(\.self).reduce(text) { $0.replacing($1, with: "***") }
    }

    private static let form = "write sentry+https://KEY@HOST/PROJECT"

    /// The key stands in a list of fields in a header, and the project in a path.
    private static func isKey(_ text: Substring) -> Bool {
        (1...200).contains(text.utf8.count) && text != "." && text != ".."
            && text.utf8.allSatisfy { $0.isASCIIAlphanumeric || "-_.".utf8.contains($0) }
    }

    private static func isPathSegment(_ text: Substring) -> Bool {
        text != "." && text != ".." && !text.contains("{") && !text.contains("}")
    }

    private static func problem(_ text: String) -> ReportsError {
        ReportsError(.badConfiguration, "the endpoint \(text)")
    }
}
