import DurableIO
public import HTTPTypes
public import Logging
public import SystemPackage

/// How an ``Uploader`` or ``Downloader`` works: where it keeps its ledger, and how hard it may press a server.
///
/// Copied when the uploader is made; later changes have no effect on it.
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
    /// The session's name, stable over the launches of a program.
    ///
    /// One process at a time can work under a name. Any text will do: it becomes part of a directory's name, in which
    /// all but `A-Z a-z 0-9 . _ -` is written as `%XX`.
    public let identifier: String

    /// The directory of the ledger; `nil`, the default, means `$XDG_STATE_HOME/background/<identifier>`, else
    /// `~/.local/state/background/<identifier>`.
    ///
    /// It is made with mode 0700 when missing, its parents with it, and must be on a local file system. A relative
    /// `$XDG_STATE_HOME` is ignored (XDG Base Directory Specification). Downloads lie in it until they are
    /// acknowledged; the files to upload stay where they are. The ledger holds their paths, sizes and hashes; of each
    /// request the method, the URL and the names of its header fields, never their values; and of the last answer the
    /// status, the header fields but for `Set-Cookie`, and of a body that is no download's content the first KiB.
    ///
    /// It may be a directory that holds other files: of those only what lies in `ledger.tmp/` is removed, as what a
    /// process left that died, and in `downloads/` files whose names end in `.part`.
    public var rootDirectory: FilePath?

    /// The most transfers under way to one server (scheme, host and port) at a time, 1 at least. The default is 4.
    ///
    /// One after a failure, and one more with each success; a session begins with 4, if it may. The number is written
    /// down and outlives the process.
    public var maximumConnectionsPerHost = 4

    /// Whom to trust over TLS, through which proxy servers are reached, and how long to wait. A setting that cannot be
    /// used is ``NetworkResponseError/Code/invalidSettings`` at the first use. Uploaders and downloaders of one root
    /// directory share what the first of them has opened, its connection settings among it.
    public var connection = ConnectionSettings()

    /// Makes the request of a transfer that an earlier launch left behind and that nobody has asked for in this one, at
    /// each attempt; the default is `nil`.
    ///
    /// Without it such a transfer rests until somebody asks with its identifier again. Its URL has to be on the
    /// transfer's own server (scheme, host and port). If it throws, or the URL is elsewhere, the transfer rests as
    /// without it until the next launch; of the error only the type is logged.
    public var requestProvider: (@Sendable (_ identifier: String) async throws -> HTTPRequest)?

    /// Told of the end of each attempt at level `debug`, of a provider of requests that fails at `notice`, and of a
    /// damaged ledger at `error`. Identifiers, hosts and paths of files are logged; URLs, header fields and bodies are
    /// not. The default goes wherever the program's logging system sends the label `background`.
    public var logger = Logger(label: "background")

    /// A session whose transfers outlive the process.
    ///
    /// - Parameter identifier: the session's name, stable over the launches of the program.
    /// - Returns: the configuration, to be changed before it is used.
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
        var name = ""
        for (position, byte) in identifier.utf8.enumerated() {
            let isPlain =
                byte.isASCIIAlphanumeric || "_-".utf8.contains(byte) || byte == UInt8(ascii: ".") && position > 0
            name += isPlain ? String(UnicodeScalar(byte)) : "%" + byte.hexDigits.uppercased()
        }
        guard !name.isEmpty else { return "%" }
        guard name.utf8.count > longestName else { return name }
        var hasher = ContentHash.Hasher()
        hasher.update(Array(identifier.utf8))
        // `%` and a letter that is no digit: no short name looks like this.
        return name.prefix(longestName - 66) + "%h" + hasher.finish().hex
    }

    private static let longestName = 200
}
