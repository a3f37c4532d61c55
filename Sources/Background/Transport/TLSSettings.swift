package import DurableIO
import NIOSSL
package import SystemPackage

/// Whom a transport trusts over TLS, loaded and ready: a file that is no use is told of before anything is sent.
///
/// Certificates are always verified, and the server's name with them. Versions before 1.2 are not spoken (RFC 8996).
package struct TLSSettings: Sendable {
    private var additionalRoots: [NIOSSLCertificate] = []

    /// Trusts the authorities that the system trusts.
    package init() {}

    /// Trusts the authorities in a file besides those of the system.
    /// - Parameters:
    ///   - file: one or more certificates in PEM, 4 MiB at most.
    ///   - files: what it is read with.
    /// - Throws: ``TLSSettingsError`` when it cannot be read, or holds something else.
    package init(additionalRoots file: FilePath, files: any FileSystem = POSIXFileSystem()) throws(TLSSettingsError) {
        let bytes: [UInt8]
        do throws(FileSystemError) {
            bytes = try files.read(files.openFile(file), limit: Self.maximumByteCount)
        } catch {
            throw TLSSettingsError(file: file, problem: "cannot be read: \(error.errno)")
        }
        do {
            additionalRoots = try NIOSSLCertificate.fromPEMBytes(bytes)
        } catch {
            throw TLSSettingsError(file: file, problem: "holds no certificates in PEM")
        }
    }

    private static let maximumByteCount = 4 << 20

    var configuration: TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if !additionalRoots.isEmpty { configuration.additionalTrustRoots = [.certificates(additionalRoots)] }
        return configuration
    }
}

/// A file that TLS settings were to be made of, and why it is no use.
package struct TLSSettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    package let file: FilePath
    package let problem: String

    package var description: String { "\(file): \(problem)" }
}
