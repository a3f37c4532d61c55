import AsyncHTTPClient
import DurableIO
import NIOCore
import NIOPosix
import NIOSOCKS
import NIOSSL
import SystemPackage

/// The client's many error types, turned into outcomes in this one place.
enum TransportErrors {
    /// - Parameters:
    ///   - error: what a request ended with.
    ///   - progress: how far it had come.
    ///   - proxy: what it went through.
    /// - Returns: the outcome.
    static func outcome(of error: any Error, progress: BodyProgress, proxy: ProxyServer?) -> TransportOutcome {
        if let failure = progress.failure {
            return .reading(failure)
        }
        if error is CancellationError { return .cancelled }
        // The sink's: the answer is there, and this machine cannot keep it.
        if let error = error as? FileSystemError { return .localTrouble("\(error)") }
        if let reason = trustProblem(error) { return .untrusted(reason) }
        // The answer to CONNECT, of which the client tells no more than this.
        if let error = error as? HTTPClientError, error == .proxyAuthenticationRequired {
            return .answer(
                TransferAnswer(
                    status: 407, fields: [:], body: [], bytesSent: 0, isWholeBodySent: false, isLoopback: false))
        }
        let didConnect = progress.bytesTaken > 0 || progress.isAnswered || !isConnectFailure(error)
        return .failure(
            TransportFailure(
                text(of: error) + (proxy.map { ", by way of \($0)" } ?? ""), didConnect: didConnect,
                bytesSent: progress.bytesTaken,
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

    /// Why one side did not accept the other's certificate, if that is what happened.
    private static func trustProblem(_ error: any Error) -> String? {
        if let error = error as? NIOSSLError, case .handshakeFailed(let cause) = error {
            return trustProblem(inText: "\(cause)")
        }
        // Over TLS 1.3 the server says so when the handshake is over for us.
        if let error = error as? BoringSSLError { return trustProblem(inText: "\(error)") }
        if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
            return "the server's certificate is for another host"
        }
        return nil
    }

    private static func trustProblem(inText text: String) -> String? {
        // BoringSSL says so to the server and keeps from us which of them it is.
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return
                "the server's certificate is not accepted: it has expired, is not valid yet, or no authority that is "
                + "trusted here has signed it"
        }
        if text.contains("CERTIFICATE_REQUIRED") { return "the server demands a client certificate" }
        let isAboutOurs = [
            "ALERT_BAD_CERTIFICATE", "ALERT_UNSUPPORTED_CERTIFICATE", "ALERT_CERTIFICATE_REVOKED",
            "ALERT_CERTIFICATE_EXPIRED", "ALERT_DECRYPT_ERROR", "ALERT_CERTIFICATE_UNKNOWN", "ALERT_UNKNOWN_CA",
            "ALERT_ACCESS_DENIED",
        ].contains { text.contains($0) }
        return isAboutOurs ? "the server does not accept the client certificate" : nil
    }

    private static func isConnectFailure(_ error: any Error) -> Bool {
        switch error {
        case is NIOConnectionError: true
        case let error as IOError: error.errnoCode == connectionRefused
        case let error as HTTPClientError: isProxyFailure(error) || error == .connectTimeout
        case is SOCKSError.ConnectionFailed, is SOCKSError.NoValidAuthenticationMethod,
            is SOCKSError.InvalidAuthenticationSelection, is SOCKSError.InvalidProtocolVersion,
            is SOCKSError.InvalidReservedByte, is SOCKSError.InvalidAddressType, is SOCKSError.InvalidClientState:
            true
        case let error as ChannelError: if case .connectTimeout = error { true } else { false }
        case is NIOSSLError: true
        default: false
        }
    }

    private static func isProxyFailure(_ error: HTTPClientError) -> Bool {
        error == .invalidProxyResponse || error == .httpProxyHandshakeTimeout || error == .socksHandshakeTimeout
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
        case let error as ChannelError where isConnectionLoss(error):
            "the connection was closed"
        case let error as HTTPClientError where error == .deadlineExceeded:
            "no answer in time"
        case let error as HTTPClientError where error == .connectTimeout:
            "connecting took too long"
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            "the server closed the connection without an answer"
        case let error as HTTPClientError where error == .invalidProxyResponse:
            "the proxy did not connect to the server, or refused the credentials"
        case let error as HTTPClientError where isProxyFailure(error):
            "the proxy did not answer in time"
        case let error as HTTPClientError:
            error.shortDescription
        case let error as SOCKSError.ConnectionFailed:
            "the proxy did not connect to the server: SOCKS reply \(error.reply.value)"
        case is SOCKSError.NoValidAuthenticationMethod, is SOCKSError.InvalidAuthenticationSelection:
            "the proxy demands a user name, which cannot be sent over SOCKS5"
        case NIOSSLError.handshakeFailed(let cause):
            handshakeText("\(cause)")
        default:
            // Type names only: descriptions of unknown errors may carry bytes of the peer's.
            "connection failed: \(type(of: error))"
        }
    }

    private static func handshakeText(_ cause: String) -> String {
        let isVersion = cause.contains("UNSUPPORTED_PROTOCOL") || cause.contains("PROTOCOL_VERSION")
        if isVersion { return "the TLS handshake failed: no version in common" }
        let isRefusal = cause.contains("ALERT_HANDSHAKE_FAILURE")
        return "the TLS handshake failed" + (isRefusal ? ": the server may demand a client certificate" : "")
    }

    private static func connectionText(_ error: NIOConnectionError) -> String {
        if error.dnsAError != nil || error.dnsAAAAError != nil {
            return "the name \(error.host) could not be resolved"
        }
        let causes = error.connectionErrors.map { text(of: $0.error) }
        return "cannot connect to \(error.host):\(error.port): \(causes.first ?? "no address")"
    }
}
