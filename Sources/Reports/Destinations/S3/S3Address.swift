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

    /// None of them holds a secret.
    static let parameterNames = Set(Parameter.allCases.map(\.rawValue))

    private mutating func read(_ query: Substring) throws(ReportsError) {
        let parameters = try EndpointParameters(query, known: Parameter.allCases.map(\.rawValue))
        for parameter in Parameter.allCases {
            guard let value = parameters[parameter.rawValue] else { continue }
            switch parameter {
            case .region: region = try Self.region(value)
            case .endpoint: server = try Self.server(value, from: "endpoint")
            case .style: style = try parameters.word(parameter.rawValue, of: Style.self)
            case .credentials:
                guard let credentials = S3Credentials(value) else {
                    throw Self.problem("has credentials that are none: \(S3Credentials.expectation)")
                }
                self.credentials = credentials
            case .profile: profile = value
            }
        }
        guard profile == nil || credentials.mayUseProfiles else {
            throw Self.problem("names a profile, which the credentials \(credentials) do not have")
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
