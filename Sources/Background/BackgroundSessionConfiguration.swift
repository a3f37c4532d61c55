import Digests
import DurableIO
public import HTTPTypes
public import Logging
public import SystemPackage

/// The configuration of an ``Uploader`` or ``Downloader``: its session, its connections, and its limits.
///
/// A session is the directory ``rootDirectory`` with its ledger, the database of its transfers. Only one process at a
/// time can use a session. All uploaders and downloaders of that process with this directory share the session.
///
/// The uploader or downloader copies the configuration when it is made. Later changes have no effect on it.
///
/// ## Topics
///
/// - ``background(withIdentifier:)``
/// - ``identifier``
/// - ``rootDirectory``
/// - ``maximumConnectionsPerHost``
/// - ``connection``
/// - ``requestProvider``
/// - ``logger``
public struct BackgroundSessionConfiguration: Sendable {
    /// The session's name, which stays the same over the launches of a program.
    ///
    /// The name may be any text. It becomes part of a directory's name, in which every byte except `A-Z a-z 0-9 . _ -`
    /// is written as `%XX`.
    public let identifier: String

    /// The directory of the ledger. The default, `nil`, means `$XDG_STATE_HOME/background/<identifier>`, or
    /// `~/.local/state/background/<identifier>` without that variable.
    ///
    /// The session makes the directory and its missing parents with mode 0700. The directory must be on a local file
    /// system. A relative `$XDG_STATE_HOME` is ignored (XDG Base Directory Specification).
    ///
    /// Downloads stay in the directory until the caller acknowledges them. Files to be uploaded stay where they are.
    /// The ledger holds the paths, sizes and hashes of the files. Of each request it holds the method, the URL and the
    /// names of the header fields, but never their values. Of the last answer it holds the status, the header fields
    /// except `Set-Cookie`, and the first KiB of a body that is not the content of a download.
    ///
    /// The directory may hold other files. The session removes only leftovers of a process that died: the files in
    /// `ledger.tmp/`, and in `downloads/` the files whose names end in `.part`.
    public var rootDirectory: FilePath?

    /// The largest number of transfers under way to one server (scheme, host and port), at least 1. The default is 4.
    ///
    /// For a new server, a session begins with 4 transfers at the same time, if this limit allows it. After a failure
    /// the number goes back to 1, and each success adds 1. The ledger holds the current number, which survives the
    /// process.
    public var maximumConnectionsPerHost = 4

    /// The TLS settings, the proxies and the timeouts.
    ///
    /// A setting that cannot be used makes the first call fail with ``NetworkResponseError/Code/invalidSettings``. All
    /// uploaders and downloaders that share a session use the connection settings of the session's first uploader or
    /// downloader.
    public var connection = ConnectionSettings()

    /// A closure that makes the request of a transfer from an earlier launch, if no caller has asked for that transfer
    /// in this launch. The engine calls it at each attempt. The default is `nil`.
    ///
    /// Without a provider such a transfer rests until a caller asks for it with its identifier. The URL of the provided
    /// request has to be on the transfer's own server (scheme, host and port). If the closure throws, or the URL is on
    /// another server, the transfer rests until the next launch, or until a caller asks for it. Of the error only the
    /// type is logged.
    public var requestProvider: (@Sendable (_ identifier: String) async throws -> HTTPRequest)?

    /// The logger for the end of each attempt (level `debug`), a request provider that fails (`notice`) and a damaged
    /// ledger (`error`).
    ///
    /// The engine logs identifiers, hosts and paths of files. It never logs URLs, header fields or bodies. The default
    /// logger has the label `background` and goes wherever the program's logging system sends that label.
    public var logger = Logger(label: "background")

    /// Makes the configuration of a session whose transfers survive the process.
    ///
    /// - Parameter identifier: the session's name, which stays the same over the launches of the program.
    /// - Returns: the configuration, which the caller may change before it makes an uploader or downloader.
    public static func background(withIdentifier identifier: String) -> BackgroundSessionConfiguration {
        BackgroundSessionConfiguration(identifier: identifier)
    }

    private init(identifier: String) {
        self.identifier = identifier
    }
}

extension BackgroundSessionConfiguration {
    /// Where the ledger is; `nil` when there is neither a root directory nor a home.
    package var resolvedRootDirectory: FilePath? {
        if let rootDirectory { return rootDirectory }
        return UserIdentity.stateDirectory?.appending("background").appending(Self.directoryName(for: identifier))
    }

    /// A name that is one entry of a directory whatever the identifier; different ones have different names.
    package static func directoryName(for identifier: String) -> String {
        var name = PercentEncoding.encode(identifier) { $0.isASCIIAlphanumeric || "_-.".utf8.contains($0) }
        guard !name.isEmpty else { return "%" }
        if name.hasPrefix(".") { name = "%2E" + name.dropFirst() }
        guard name.utf8.count > longestName else { return name }
        // `%` and a letter that is no digit: no short name looks like this.
        return name.prefix(longestName - 66) + "%h" + ContentHash(of: Array(identifier.utf8)).hex
    }

    private static let longestName = 200
}
