import DurableIO
public import SystemPackage

/// Where the access key for an S3 server comes from.
///
/// A key of the program itself (``key(_:)``, ``provider(_:)``) stays in memory. Keys of the other sources are read
/// where the AWS tools read them, too.
///
/// ## Topics
///
/// - ``automatic``
/// - ``environment``
/// - ``profile(_:file:)``
/// - ``container``
/// - ``instance``
/// - ``key(_:)``
/// - ``provider(_:)``
public struct S3Credentials: Sendable, CustomStringConvertible {
    /// A closure that gives the access key of one request.
    public typealias Provider = @Sendable () async throws -> S3AccessKey

    enum Choice: Sendable {
        case automatic
        case environment
        case profile(String?, file: FilePath?)
        case container
        case instance
        case key(S3AccessKey)
        case provider(Provider)
    }

    let choice: Choice

    /// The environment, if it has a key, else the files of the AWS tools. This is the default.
    public static let automatic = S3Credentials(choice: .automatic)
    /// The variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, for temporary keys, `AWS_SESSION_TOKEN`.
    public static let environment = S3Credentials(choice: .environment)
    /// The service that Amazon ECS, EKS and Greengrass name in `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
    public static let container = S3Credentials(choice: .container)
    /// The metadata service of an Amazon EC2 instance, version 2, at `169.254.169.254`.
    public static let instance = S3Credentials(choice: .instance)

    /// Makes credentials that are a profile of the files of the AWS tools.
    ///
    /// - Parameters:
    ///   - name: The name of the profile. The default, `nil`, is `AWS_PROFILE`, else `default`.
    ///   - file: The file of keys. The default, `nil`, is `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`.
    /// - Returns: The credentials.
    public static func profile(_ name: String? = nil, file: FilePath? = nil) -> S3Credentials {
        S3Credentials(choice: .profile(name, file: file))
    }

    /// Makes credentials of one access key.
    public static func key(_ key: S3AccessKey) -> S3Credentials {
        S3Credentials(choice: .key(key))
    }

    /// Makes credentials that a closure gives.
    ///
    /// - Parameter provider: A closure that is called for each attempt. Several calls may run at the same time. When
    ///   the closure throws, nothing is sent. The report then waits from 5 seconds to an hour, and this failure counts
    ///   neither against the report nor against the server. Of the error only the type is kept.
    /// - Returns: The credentials.
    public static func provider(_ provider: @escaping Provider) -> S3Credentials {
        S3Credentials(choice: .provider(provider))
    }

    private init(choice: Choice) {
        self.choice = choice
    }

    // MARK: - As text

    static let expectation =
        "automatic, environment, profile, container, instance, or the path of a file of keys that begins with a slash"

    /// Reads the credentials of an endpoint; `nil` for a text that names none.
    init?(_ text: String) {
        switch text {
        case "automatic": self = .automatic
        case "environment": self = .environment
        case "profile": self = .profile()
        case "container": self = .container
        case "instance": self = .instance
        default:
            guard text.hasPrefix("/") else { return nil }
            self = .profile(file: FilePath(text))
        }
    }

    /// The source in one word, without any secret.
    public var description: String {
        switch choice {
        case .automatic: "automatic"
        case .environment: "environment"
        case .profile: "profile"
        case .container: "container"
        case .instance: "instance"
        case .key: "key"
        case .provider: "provider"
        }
    }

    /// The name of the profile that they are.
    var profile: String? {
        if case .profile(let name, _) = choice { name } else { nil }
    }

    /// Whether they may come from a profile.
    var mayUseProfiles: Bool {
        switch choice {
        case .automatic, .profile: true
        default: false
        }
    }
}
