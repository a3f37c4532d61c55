import AsyncHTTPClient
import DurableIO
import NIOCore
import NIOPosix
import NIOSSL
import SystemPackage

/// The client's many error types, turned into outcomes in this one place.
enum TransportErrors {
    static func outcome(of error: any Error, progress: BodyProgress) -> TransportOutcome {
        if let failure = progress.failure {
            return .reading(failure)
        }
        if error is CancellationError { return .cancelled }
        // The sink's: the answer is there, and this machine cannot keep it.
        if let error = error as? FileSystemError { return .localTrouble("\(error)") }
        if let reason = trustProblem(error) { return .untrusted(reason) }
        let didConnect = progress.bytesTaken > 0 || progress.isAnswered || !isConnectFailure(error)
        return .failure(
            TransportFailure(
                text(of: error), didConnect: didConnect, bytesSent: progress.bytesTaken,
                isConnectionLost: didConnect && !progress.isAnswered && isConnectionLoss(error)))
    }

    /// Whether the connection was closed or reset before an answer, as opposed to silence or nonsense on it.
    private static func isConnectionLoss(_ error: any Error) -> Bool {
        switch error {
        case is IOError: true
        case let error as HTTPClientError: error == .remoteConnectionClosed
        case let error as ChannelError:
            switch error {
            case .ioOnClosedChannel, .inputClosed, .outputClosed, .eof, .alreadyClosed: true
            default: false
            }
        default: false
        }
    }

    /// Why the peer's certificate was not accepted, if that is what happened.
    private static func trustProblem(_ error: any Error) -> String? {
        if let error = error as? NIOSSLError, case .handshakeFailed(let cause) = error {
            let text = "\(cause)"
            // BoringSSL says so to the server and keeps from us which of them it is.
            return text.contains("CERTIFICATE_VERIFY_FAILED")
                ? "the server's certificate is not accepted: it has expired, is not valid yet, or no authority that is "
                    + "trusted here has signed it"
                : nil
        }
        if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
            return "the server's certificate is for another host"
        }
        return nil
    }

    private static func isConnectFailure(_ error: any Error) -> Bool {
        switch error {
        case is NIOConnectionError: true
        case let error as IOError: error.errnoCode == connectionRefused
        case let error as HTTPClientError: error == .connectTimeout
        case let error as ChannelError: if case .connectTimeout = error { true } else { false }
        case is NIOSSLError: true
        default: false
        }
    }

    // The number on every Linux architecture; libc is not imported here.
    private static let connectionRefused: Int32 = 111

    private static func text(of error: any Error) -> String {
        switch error {
        case is StalledError:
            "the connection stalled"
        case let error as IOError:
            "connection failed: \(Errno(rawValue: error.errnoCode))"
        case let error as NIOConnectionError:
            connectionText(error)
        case let error as HTTPClientError where error == .deadlineExceeded:
            "no answer in time"
        case let error as HTTPClientError where error == .connectTimeout:
            "connecting took too long"
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            "the server closed the connection without an answer"
        case let error as HTTPClientError:
            error.shortDescription
        case NIOSSLError.handshakeFailed(let cause):
            handshakeText("\(cause)")
        default:
            // Type names only: descriptions of unknown errors may carry bytes of the peer's.
            "connection failed: \(type(of: error))"
        }
    }

    private static func handshakeText(_ cause: String) -> String {
        let isVersion = cause.contains("UNSUPPORTED_PROTOCOL") || cause.contains("PROTOCOL_VERSION")
        return "the TLS handshake failed" + (isVersion ? ": no version in common" : "")
    }

    private static func connectionText(_ error: NIOConnectionError) -> String {
        if error.dnsAError != nil || error.dnsAAAAError != nil {
            return "the name \(error.host) could not be resolved"
        }
        let causes = error.connectionErrors.map { text(of: $0.error) }
        return "cannot connect to \(error.host):\(error.port): \(causes.first ?? "no address")"
    }
}
