import DurableIO
import NIOSSL
import Synchronization
import SystemPackage

/// The TLS configuration of a client, made of the files that the settings name, and made anew when they have changed.
final class TLSFiles: Sendable {
    private let settings: TLSSettings
    private let files: any FileSystem
    private let loaded: Mutex<Loaded>

    private struct Loaded {
        var configuration: TLSConfiguration
        /// How the files looked when they were read.
        var stamps: [FileMetadata]
    }

    /// Loads the files.
    ///
    /// Not an initializer that throws: Swift 6.3.1's optimizer aborts on one in a class that holds a `Mutex`.
    /// - Parameters:
    ///   - settings: names them.
    ///   - files: what they are read with.
    /// - Returns: what was loaded.
    /// - Throws: what is wrong with one of them.
    static func load(
        _ settings: TLSSettings, files: any FileSystem
    ) throws(ConnectionSettingsError) -> TLSFiles {
        let stamps = stamps(of: settings, files: files)
        let configuration = try configuration(of: settings, files: files)
        return TLSFiles(settings, files: files, loaded: Loaded(configuration: configuration, stamps: stamps))
    }

    private init(_ settings: TLSSettings, files: any FileSystem, loaded: Loaded) {
        self.settings = settings
        self.files = files
        self.loaded = Mutex(loaded)
    }

    /// What a connection made now uses; `nil` when no file is named, and nothing can change.
    ///
    /// Renewed files count from here on. A file that is half written, or gone, is left for the next time: what was
    /// loaded before may still do.
    var renewed: TLSConfiguration? {
        guard !Self.paths(of: settings).isEmpty else { return nil }
        let now = Self.stamps(of: settings, files: files)
        return loaded.withLock { loaded in
            if now != loaded.stamps, let renewed = try? Self.configuration(of: settings, files: files) {
                loaded = Loaded(configuration: renewed, stamps: now)
            }
            return loaded.configuration
        }
    }

    /// What was loaded last.
    var configuration: TLSConfiguration { loaded.withLock(\.configuration) }

    // MARK: - Loading

    private static let maximumByteCount = 4 << 20

    private static func configuration(
        of settings: TLSSettings, files: any FileSystem
    ) throws(ConnectionSettingsError) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = settings.minimumVersion == .v13 ? .tlsv13 : .tlsv12
        if let path = settings.certificateAuthorities {
            configuration.additionalTrustRoots = [.certificates(try certificates(in: path, files: files))]
        }
        guard let path = settings.clientCertificate else {
            guard let key = settings.clientKey else { return configuration }
            throw ConnectionSettingsError(key.string, "is a client's key without its certificate: name that, too")
        }
        configuration.certificateChain = try certificates(in: path, files: files).map { .certificate($0) }
        configuration.privateKey = .privateKey(try key(in: settings.clientKey ?? path, files: files))
        try check(configuration, of: settings.clientKey ?? path)
        return configuration
    }

    private static func certificates(
        in path: FilePath, files: any FileSystem
    ) throws(ConnectionSettingsError) -> [NIOSSLCertificate] {
        let bytes = try read(path, files: files)
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
            throw ConnectionSettingsError(path.string, "holds no certificates in PEM")
        }
        return certificates
    }

    private static func key(
        in path: FilePath, files: any FileSystem
    ) throws(ConnectionSettingsError) -> NIOSSLPrivateKey {
        // Without a callback an encrypted key would be asked for at the terminal.
        let noPassphrase: NIOSSLPassphraseCallback<[UInt8]> = { setter in setter([]) }
        let bytes = try read(path, files: files)
        guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem, passphraseCallback: noPassphrase) else {
            throw ConnectionSettingsError(path.string, "holds no private key in PEM that opens without a passphrase")
        }
        return key
    }

    /// A key that belongs to another certificate would show at the first connection only, and as the server's fault.
    private static func check(_ configuration: TLSConfiguration, of key: FilePath) throws(ConnectionSettingsError) {
        var alone = configuration
        // The system's authorities take their time to load.
        alone.trustRoots = .certificates([])
        alone.additionalTrustRoots = []
        guard (try? NIOSSLContext(configuration: alone)) != nil else {
            throw ConnectionSettingsError(key.string, "is not the key of the client's certificate")
        }
    }

    private static func read(_ path: FilePath, files: any FileSystem) throws(ConnectionSettingsError) -> [UInt8] {
        do throws(FileSystemError) {
            return try files.read(files.openFile(path), limit: maximumByteCount)
        } catch {
            throw ConnectionSettingsError(path.string, "cannot be read: \(error.errno)")
        }
    }

    // MARK: - Renewal

    private static func paths(of settings: TLSSettings) -> [FilePath] {
        [settings.certificateAuthorities, settings.clientCertificate, settings.clientKey].compactMap(\.self)
    }

    /// One less than there are paths when a file is gone.
    private static func stamps(of settings: TLSSettings, files: any FileSystem) -> [FileMetadata] {
        paths(of: settings).compactMap { path in try? files.metadata(of: files.openFile(path)) }
    }
}
