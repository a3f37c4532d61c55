import Background
import DurableIO
import SystemPackage

/// A place from which an access key can be had.
protocol AccessKeySource: Sendable {
    /// Whether a key is used until it ends. Otherwise the source is asked at each attempt.
    var keepsKeys: Bool { get }
    /// Checks what can be checked without asking anybody.
    func check() throws(AccessKeyProblem)
    /// Gets the key. Services of this machine are asked over `side`.
    func accessKey(over side: any Transport) async throws(AccessKeyProblem) -> S3AccessKey
}

extension AccessKeySource {
    var keepsKeys: Bool { true }
}

/// Why there is no access key. The text holds no secret.
enum AccessKeyProblem: Error, Hashable {
    /// A person has to change something.
    case missing(String)
    /// It may be had later.
    case unavailable(String)
    /// The attempt was stopped meanwhile.
    case interrupted

    var text: String {
        switch self {
        case .missing(let text), .unavailable(let text): text
        case .interrupted: "interrupted"
        }
    }

    var noAnswer: NoAnswer { self == .interrupted ? .interrupted : .unprepared(text) }
}

extension S3Credentials {
    /// The source of the keys.
    /// - Parameters:
    ///   - profile: the profile that the endpoint names.
    ///   - surroundings: of the process.
    /// - Returns: the source, which has asked nobody yet.
    func source(profile: String?, in surroundings: S3Surroundings) -> any AccessKeySource {
        switch choice {
        case .automatic:
            // A profile that is named counts more than the environment, as with the AWS tools.
            ProcessAccessKeys(looksAtVariables: profile == nil, profile: (profile, nil), surroundings: surroundings)
        case .environment:
            ProcessAccessKeys(looksAtVariables: true, profile: nil, surroundings: surroundings)
        case .profile(let name, let file):
            ProcessAccessKeys(looksAtVariables: false, profile: (profile ?? name, file), surroundings: surroundings)
        case .container: ContainerAccessKeys(surroundings: surroundings)
        case .instance: InstanceAccessKeys(surroundings: surroundings)
        case .key(let key): GivenAccessKey(key: key)
        case .provider(let provider): ProvidedAccessKeys(provider: provider)
        }
    }
}

/// The key that a program has given.
struct GivenAccessKey: AccessKeySource {
    let key: S3AccessKey

    func check() throws(AccessKeyProblem) {
        guard key.isUsable else {
            throw .missing("the access key that was given is none: it is empty, or holds a blank or another character")
        }
    }

    func accessKey(over side: any Transport) async throws(AccessKeyProblem) -> S3AccessKey { key }
}

/// The keys that a closure of the program gives.
struct ProvidedAccessKeys: AccessKeySource {
    let provider: S3Credentials.Provider
    var keepsKeys: Bool { false }

    func check() throws(AccessKeyProblem) {}

    func accessKey(over side: any Transport) async throws(AccessKeyProblem) -> S3AccessKey {
        do {
            return try await DestinationOptions.asking("credentials", provider)
        } catch .interrupted {
            throw .interrupted
        } catch {
            throw .unavailable(error.text)
        }
    }
}

/// The keys in the environment of the process and in the files of the AWS tools. The first source that has a key wins.
struct ProcessAccessKeys: AccessKeySource {
    let looksAtVariables: Bool
    /// `nil` where the files do not count.
    let profile: (name: String?, file: FilePath?)?
    let surroundings: S3Surroundings

    func check() throws(AccessKeyProblem) { _ = try found() }

    func accessKey(over side: any Transport) async throws(AccessKeyProblem) -> S3AccessKey { try found() }

    private func found() throws(AccessKeyProblem) -> S3AccessKey {
        if looksAtVariables, let key = try fromVariables() { return key }
        guard let profile else {
            throw .missing("there is no S3 access key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        }
        return try key(in: profile.name, profile.file)
    }

    private func fromVariables() throws(AccessKeyProblem) -> S3AccessKey? {
        guard let id = surroundings.variable("AWS_ACCESS_KEY_ID") else { return nil }
        guard let secret = surroundings.variable("AWS_SECRET_ACCESS_KEY") else {
            throw .missing("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not")
        }
        let token = surroundings.variable("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
        return try Self.usable(S3AccessKey(id: id, secret: secret, sessionToken: token), from: "the environment")
    }

    private func key(in name: String?, _ file: FilePath?) throws(AccessKeyProblem) -> S3AccessKey {
        let profile: AWSProfile
        do {
            profile = try AWSProfile(name, file: file, in: surroundings)
        } catch {
            throw .unavailable("the S3 access key cannot be read: \(error)")
        }
        let place = "the profile \(QuotedText(profile.name, limit: 40)) of \(Self.list(profile.paths))"
        guard let id = profile["aws_access_key_id"] else {
            throw .missing(looksAtVariables ? Self.adviceForAll(place) : "there is no aws_access_key_id in \(place)")
        }
        guard let secret = profile["aws_secret_access_key"] else {
            throw .missing("there is an aws_access_key_id, but no aws_secret_access_key in \(place)")
        }
        let key = S3AccessKey(id: id, secret: secret, sessionToken: profile["aws_session_token"])
        return try Self.usable(key, from: place)
    }

    private static func list(_ paths: [FilePath]) -> String {
        guard !paths.isEmpty else { return "~/.aws/credentials, and the process has no HOME" }
        return paths.map(\.string).joined(separator: " and ")
    }

    private static func adviceForAll(_ place: String) -> String {
        "there is no S3 access key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write aws_access_key_id and "
            + "aws_secret_access_key to \(place), or choose credentials=container or credentials=instance in the "
            + "endpoint"
    }

    private static func usable(_ key: S3AccessKey, from place: String) throws(AccessKeyProblem) -> S3AccessKey {
        guard key.isUsable else { throw .missing("the access key from \(place) holds a blank or another character") }
        return key
    }
}
