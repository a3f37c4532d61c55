import Background
import DurableIO

/// A bucket, as a user writes it: `s3://BUCKET[/TEMPLATE]?region=…&endpoint=…&style=…&credentials=…&profile=…`.
///
/// What is not written comes from the process's surroundings (``S3Place``, ``AccessKeySource``). The text holds no
/// secret, and one that seems to hold one is refused.
struct S3Address: Sendable {
    /// Where the name of the bucket stands in a request.
    enum Style: String, CaseIterable, Sendable {
        /// In the path.
        case path
        /// In the host name.
        case virtual
    }

    let bucket: String
    /// Without a slash in front.
    let template: String
    var region: String?
    /// Another server than Amazon's.
    var server: Endpoint?
    var style: Style?
    var credentials = S3Credentials.automatic
    /// The section of the files of the AWS tools that counts; `nil` for the one that the environment names.
    var profile: String?

    init(bucket: String, template: String) throws(ReportsError) {
        self.bucket = bucket
        self.template = template
        guard Self.isAccepted(bucket), Self.isAccepted(template) else {
            throw Self.problem("\(Endpoint.Problem.badCharacter)")
        }
        // A user who writes one means a server, or credentials.
        guard !bucket.contains("@") else {
            throw Self.problem(
                "holds a user name or password: the credentials come from the environment or a file "
                    + "(AWS_ACCESS_KEY_ID, AWS_SHARED_CREDENTIALS_FILE)")
        }
        guard !bucket.contains(":") else {
            throw Self.problem("names a port: s3:// is followed by a bucket; the server is ?endpoint=https://HOST:PORT")
        }
        guard !bucket.isEmpty else { throw Self.problem("names no bucket: write s3://BUCKET") }
        guard template.first != "/" else { throw Self.problem("has a key that begins with a slash") }
    }

    init(_ text: String) throws(ReportsError) {
        let rest = text.ranges(of: "://").first.map { text[$0.upperBound...] } ?? text[...]
        let bucket = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let path = rest[bucket.endIndex...].prefix { $0 != "?" && $0 != "#" }
        let query = rest[path.endIndex...]
        try self.init(bucket: String(bucket), template: String(path.dropFirst()))
        guard !query.contains("#") else {
            throw ReportsError(
                .badConfiguration, "the endpoint \(MarkProblem.fragment)", underlyingError: MarkProblem.fragment)
        }
        try read(query.dropFirst())
    }

    /// What a URL may hold without `%`.
    private static func isAccepted(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    }

    static func problem(_ text: String) -> ReportsError {
        ReportsError(.badConfiguration, "the endpoint \(text)")
    }
}

// MARK: - Parameters

extension S3Address {
    private enum Parameter: String, CaseIterable {
        case region
        case endpoint
        case style
        case credentials
        case profile
    }

    private static let known =
        "the parameters are " + Parameter.allCases.map(\.rawValue).joined(separator: ", ")

    /// None of them holds a secret.
    static let parameterNames = Set(Parameter.allCases.map(\.rawValue))

    private mutating func read(_ query: Substring) throws(ReportsError) {
        var seen: Set<Parameter> = []
        for item in query.split(separator: "&") {
            guard let equals = item.firstIndex(of: "=") else {
                throw Self.problem("has a parameter without a value: \(Self.known)")
            }
            let name = item[..<equals]
            guard let parameter = Parameter(rawValue: String(name)) else { throw Self.unknown(name) }
            guard seen.insert(parameter).inserted else {
                throw Self.problem("has the parameter \(parameter.rawValue) twice")
            }
            guard let value = PercentEncoding.decode(item[item.index(after: equals)...]), !value.isEmpty,
                value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
            else { throw Self.problem("has no usable value for \(parameter.rawValue)") }
            try set(parameter, value)
        }
        guard profile == nil || credentials.mayUseProfiles else {
            throw Self.problem("names a profile, which the credentials \(credentials) do not have")
        }
    }

    /// The value is never shown: somebody may have written a secret there.
    private static func unknown(_ name: Substring) -> ReportsError {
        let plain = name.lowercased()
        if ["key", "secret", "token", "signature", "password"].contains(where: plain.contains) {
            return problem("has a parameter for credentials, which do not stand in an endpoint: \(known)")
        }
        let meant = NearestName.of(name, among: Parameter.allCases.map(\.rawValue))
        let hint = meant.map { "did you mean \($0)?" } ?? known
        return problem("has the unknown parameter \"\(QuotedText(name, limit: 40))\": \(hint)")
    }

    private mutating func set(_ parameter: Parameter, _ value: String) throws(ReportsError) {
        switch parameter {
        case .region: region = try Self.region(value)
        case .endpoint: server = try Self.server(value, from: "endpoint")
        case .style:
            guard let style = Style(rawValue: value) else {
                throw Self.problem("has a style that is none: path or virtual")
            }
            self.style = style
        case .credentials:
            guard let credentials = S3Credentials(value) else {
                throw Self.problem("has credentials that are none: \(S3Credentials.expectation)")
            }
            self.credentials = credentials
        case .profile: profile = value
        }
    }

    /// Checks the name of a region, which becomes a part of host names and signatures.
    static func region(_ text: String) throws(ReportsError) -> String {
        guard (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({ $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") })
        else { throw problem("has a region that is none, as eu-central-1 is one") }
        return text
    }

    /// Checks the URL of a server.
    static func server(_ text: String, from place: String) throws(ReportsError) -> Endpoint {
        let server: Endpoint
        do {
            server = try Endpoint(text)
        } catch {
            throw ReportsError(
                .badConfiguration, "the endpoint's server (\(place)) \(error)", underlyingError: error)
        }
        guard !text.contains("?"), !text.contains("#"), !text.contains("{") else {
            throw problem("names a server (\(place)) with a query, a fragment or a mark: write https://HOST:PORT")
        }
        return server
    }
}
