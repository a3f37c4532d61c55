import AsyncHTTPClient
import DurableIO
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSOCKS
import NIOSSL
import SystemPackage

/// The client's many error types, turned into the reasons of ``NoAnswer`` in this one place.
struct TransportErrors {
    /// Where the request went.
    let endpoint: Endpoint
    let route: Route
    let timeouts: HTTPTransport.Timeouts

    /// - Parameters:
    ///   - error: what a request ended with.
    ///   - progress: how far it had come.
    /// - Returns: what the request came to.
    func result(of error: any Error, progress: BodyProgress) -> TransportResult {
        if let failure = progress.failure {
            return .noAnswer(.reading(failure))
        }
        if error is CancellationError { return .noAnswer(.interrupted) }
        // The sink's: the answer is there, and this machine cannot keep it.
        if let error = error as? FileSystemError { return .noAnswer(.localTrouble("\(error)")) }
        if let reason = Self.trustProblem(error) { return .noAnswer(.untrusted(reason)) }
        // The answer to CONNECT, of which the client tells no more than this.
        if let error = error as? HTTPClientError, error == .proxyAuthenticationRequired {
            return .answer(
                TransferAnswer(
                    status: 407, fields: [:], body: [], bytesSent: 0, isWholeBodySent: false, isLoopback: false))
        }
        let didConnect = progress.bytesTaken > 0 || progress.isAnswered || !Self.isConnectFailure(error)
        let failure = TransportFailure(
            text(of: error) + (route.proxy.map { ", by way of \($0)" } ?? ""), didConnect: didConnect,
            bytesSent: progress.bytesTaken,
            isConnectionLost: didConnect && !progress.isAnswered && Self.isConnectionLoss(error))
        return .noAnswer(.failure(failure))
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

    private func text(of error: any Error) -> String {
        switch error {
        case is StalledError:
            "the connection stalled"
        case let error as ForeignProtocolError:
            foreignText(error)
        case let error as IOError:
            "connection failed: \(Errno(rawValue: error.errnoCode))"
        case let error as NIOConnectionError:
            connectionText(error)
        case let error as ChannelError where Self.isConnectionLoss(error):
            "the connection was closed"
        case let error as HTTPClientError where error == .deadlineExceeded:
            "no answer in time"
        case let error as HTTPClientError where error == .connectTimeout:
            lateText
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            "the server closed the connection without an answer"
        case let error as HTTPClientError where error == .invalidProxyResponse:
            "the proxy did not connect to the server, or refused the credentials"
        case let error as HTTPClientError where Self.isProxyFailure(error):
            "the proxy did not answer in time"
        case let error as HTTPClientError where error == .tlsHandshakeTimeout:
            "the TLS handshake with \(server) did not end in time"
        case let error as HTTPClientError where error == .getConnectionFromPoolTimeout:
            lateText
        case is HTTPParserError:
            "\(peer) answers in broken HTTP"
        case let error as SOCKSError.ConnectionFailed:
            "the proxy did not connect to the server: SOCKS reply \(error.reply.value)"
        case is SOCKSError.NoValidAuthenticationMethod, is SOCKSError.InvalidAuthenticationSelection:
            "the proxy demands a user name, which cannot be sent over SOCKS5"
        case NIOSSLError.handshakeFailed(let cause):
            handshakeText("\(cause)")
        default:
            // Type names only: descriptions of unknown errors may carry bytes of the peer's.
            "the request to \(server) failed for an unknown reason (\(type(of: error)))"
        }
    }

    private var server: String { "\(endpoint.host):\(endpoint.port)" }

    /// What answers on the connection: the server, or a proxy that passes requests on.
    private var peer: String {
        if case .forward(let proxy) = route { "\(proxy)" } else { server }
    }

    private var lateText: String {
        // A proxy is connected to in the server's place, and looks up the server's name itself.
        let host = route.proxy?.host ?? endpoint.host
        let isAddress = NetworkAddress(host.filter { $0 != "[" && $0 != "]" }[...]) != nil
        return "no connection to \(route.proxy.map { "\($0)" } ?? server) within \(timeouts.connect) s: "
            + (isAddress ? "it does not answer" : "the name server or the server does not answer")
    }

    private func foreignText(_ error: ForeignProtocolError) -> String {
        error.isTLS && !endpoint.isSecure
            ? "\(peer) does not speak HTTP but TLS: write https://"
            : "\(peer) does not speak HTTP (it begins with \(error.quotation)): check the port"
    }

    private func handshakeText(_ cause: String) -> String {
        // What came in the place of a TLS record began with no version of one.
        if cause.contains("WRONG_VERSION_NUMBER") || cause.contains("HTTP_REQUEST") {
            return "\(peer) does not speak TLS: write http://, or check the port"
        }
        if cause.contains("EOF during handshake") {
            return "\(peer) closed the connection in the TLS handshake: check that it speaks TLS"
        }
        let isVersion = cause.contains("UNSUPPORTED_PROTOCOL") || cause.contains("PROTOCOL_VERSION")
        if isVersion { return "the TLS handshake failed: no version in common" }
        let isRefusal = cause.contains("ALERT_HANDSHAKE_FAILURE")
        return "the TLS handshake failed" + (isRefusal ? ": the server may demand a client certificate" : "")
    }

    static func unresolvedText(_ host: String) -> String { "the name \(host) could not be resolved" }

    private func connectionText(_ error: NIOConnectionError) -> String {
        if error.dnsAError != nil || error.dnsAAAAError != nil {
            return Self.unresolvedText(error.host)
        }
        let causes = error.connectionErrors.map { text(of: $0.error) }
        return "cannot connect to \(error.host):\(error.port): \(causes.first ?? "no address")"
    }
}
