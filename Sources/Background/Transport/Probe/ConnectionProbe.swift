import AsyncHTTPClient
import DurableIO
import NIOCore
import NIOPosix
import NIOSOCKS
import NIOSSL

/// Makes a connection as a request would, sends no request, and tells of each step.
///
/// It resolves the name, connects, by the proxy if there is one, and shakes hands; then it closes the connection. It
/// leaves nothing behind. All steps together take no longer than the time-out for connecting.
struct ConnectionProbe {
    let endpoint: Endpoint
    let route: Route
    let configuration: TLSConfiguration
    let timeouts: HTTPTransport.Timeouts
    let loop: any EventLoop

    private typealias Step<Finding: Sendable> = ConnectionFindings.Step<Finding>

    func run() async -> ConnectionFindings {
        let deadline = NIODeadline.now() + .seconds(timeouts.connect)
        var findings = ConnectionFindings(by: route)
        let resolve = await step { try await addresses(until: deadline) }
        findings.resolve = Step(result: resolve.result.map { $0.compactMap(\.ipAddress) }, took: resolve.took)
        guard case .success(let addresses) = resolve.result else { return findings }
        let connect = await step { try await connection(to: addresses, until: deadline) }
        findings.connect = Step(
            result: connect.result.map { $0.remoteAddress?.ipAddress ?? peerHost }, took: connect.took)
        guard case .success(let channel) = connect.result else { return findings }
        if endpoint.isSecure {
            // Time for the answer to the last message of the handshake.
            let patience = min(max(.milliseconds(250), TimeAmount(connect.took) * 4), .seconds(1))
            await shakeHands(over: channel, until: deadline, patience: patience, &findings)
        }
        channel.close(promise: nil)
        return findings
    }

    // MARK: - Steps

    private func step<Finding: Sendable>(_ body: () async throws -> Finding) async -> Step<Finding> {
        let begun = ContinuousClock.now
        do {
            let finding = try await body()
            return Step(result: .success(finding), took: .now - begun)
        } catch {
            return Step(result: .failure(problem(error)), took: .now - begun)
        }
    }

    /// What is connected to, without brackets: the proxy, or the server.
    private var peerHost: String { route.proxy?.host ?? serverHost }
    private var peerPort: Int { route.proxy?.port ?? endpoint.port }
    private var serverHost: String {
        endpoint.host.hasPrefix("[") ? String(endpoint.host.dropFirst().dropLast()) : endpoint.host
    }

    private func addresses(until deadline: NIODeadline) async throws -> [SocketAddress] {
        if let address = try? SocketAddress(ipAddress: peerHost, port: peerPort) { return [address] }
        let (host, port) = (peerHost, peerPort)
        let found = loop.flatSubmit { [loop] in
            let resolver = NIORandomizedDNSResolver(loop: loop)
            let queries = [
                resolver.initiateAAAAQuery(host: host, port: port), resolver.initiateAQuery(host: host, port: port),
            ]
            return EventLoopFuture.whenAllComplete(queries, on: loop)
        }
        let late = ConnectionProblem.unreachable(
            "the name \(host) could not be resolved within \(timeouts.connect) s: the name server does not answer")
        let addresses = try await waiting(for: found, until: deadline, else: late).flatMap { (try? $0.get()) ?? [] }
        guard !addresses.isEmpty else {
            throw ConnectionProblem.unreachable(TransportErrors.unresolvedText(host) + byWay)
        }
        return addresses
    }

    private func connection(
        to addresses: [SocketAddress], until deadline: NIODeadline
    ) async throws -> any Channel {
        let connecting = ClientBootstrap(group: loop)
            .resolver(KnownAddresses(loop: loop, addresses: addresses))
            .connectTimeout(max(.milliseconds(1), deadline - NIODeadline.now()))
            // A server that speaks first is heard when the handlers are there.
            .channelOption(.autoRead, value: false)
            .connect(host: peerHost, port: peerPort)
        let channel: any Channel
        do {
            channel = try await waiting(for: connecting, until: deadline, else: HTTPClientError.connectTimeout)
        } catch {
            // It may come yet.
            connecting.whenSuccess { $0.close(promise: nil) }
            throw error
        }
        do {
            try await passProxy(over: channel, until: deadline)
            return channel
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }

    /// Has a proxy connect to the server. A proxy that is asked for whole URLs does this with each request.
    private func passProxy(over channel: any Channel, until deadline: NIODeadline) async throws {
        let passed = loop.makePromise(of: Void.self)
        switch route {
        case .direct, .forward: return passed.succeed()
        case .tunnel(let proxy):
            let (endpoint, credentials) = (endpoint, proxy.basicCredentials)
            install(on: channel, failing: passed) { pipeline in
                try pipeline.addHandler(TunnelRequest(to: endpoint, credentials: credentials), position: .first)
                try pipeline.addHandler(StageEnd(passed) { $0 is TunnelEstablished })
            }
            try await waiting(
                for: passed.futureResult, until: deadline, else: HTTPClientError.httpProxyHandshakeTimeout)
        case .socks:
            let (host, port) = (serverHost, endpoint.port)
            install(on: channel, failing: passed) { pipeline in
                // Behind the handler that waits, so that it is there before the first answer.
                try pipeline.addHandler(StageEnd(passed) { $0 is SOCKSProxyEstablishedEvent })
                let address = (try? SocketAddress(ipAddress: host, port: port)).map { SOCKSAddress.address($0) }
                try pipeline.addHandler(
                    SOCKSClientHandler(targetAddress: address ?? .domain(host, port: port)), position: .first)
            }
            try await waiting(for: passed.futureResult, until: deadline, else: HTTPClientError.socksHandshakeTimeout)
        }
    }

    private func shakeHands(
        over channel: any Channel, until deadline: NIODeadline, patience: TimeAmount,
        _ findings: inout ConnectionFindings
    ) async {
        let begun = ContinuousClock.now
        let ended = loop.makePromise(of: HandshakeEnd.self)
        let end: HandshakeEnd
        do {
            var configuration = configuration
            configuration.applicationProtocols = ["http/1.1"]
            configuration.shutdownTimeout = .milliseconds(200)
            let context = try NIOSSLContext(configuration: configuration)
            let isAddress = NetworkAddress(serverHost[...]) != nil
            let name = isAddress ? nil : serverHost
            install(on: channel, failing: ended) { pipeline in
                let handler = try NIOSSLClientHandler(context: context, serverHostname: name)
                try pipeline.addHandler(handler)
                try pipeline.addHandler(HandshakeWatch(handler, ended, patience: patience))
            }
            end = try await waiting(
                for: ended.futureResult, until: deadline + patience, else: HTTPClientError.tlsHandshakeTimeout)
        } catch {
            end = HandshakeEnd(error: error)
        }
        let hasCertificate = !configuration.certificateChain.isEmpty
        let handshake = Handshake(version: end.version ?? "", hasClientCertificate: hasCertificate)
        findings.tls = Step(
            result: end.error.map { .failure(problem($0)) } ?? .success(handshake), took: end.moment - begun)
        findings.certificate = end.certificate
    }

    // MARK: - Waiting

    /// Changes a channel's pipeline on the loop, and reads from then on. If that fails, the promise fails.
    private func install<Value>(
        on channel: any Channel, failing promise: EventLoopPromise<Value>,
        _ change: @escaping @Sendable (ChannelPipeline.SynchronousOperations) throws -> Void
    ) {
        loop.submit {
            try change(channel.pipeline.syncOperations)
            try channel.syncOptions?.setOption(.autoRead, value: true)
        }.whenFailure { promise.fail($0) }
    }

    /// Waits no longer than until the deadline, or until the task is cancelled.
    private func waiting<Value: Sendable>(
        for future: EventLoopFuture<Value>, until deadline: NIODeadline, else late: any Error
    ) async throws -> Value {
        let promise = loop.makePromise(of: Value.self)
        future.cascade(to: promise)
        let timer = loop.scheduleTask(deadline: deadline) { promise.fail(late) }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
    }

    // MARK: - Words

    private var byWay: String { route.proxy.map { ", by way of \($0)" } ?? "" }

    private func problem(_ error: any Error) -> ConnectionProblem {
        if let problem = error as? ConnectionProblem { return problem }
        let errors = TransportErrors(endpoint: endpoint, route: route, timeouts: timeouts)
        switch errors.result(of: error, progress: BodyProgress()) {
        case .noAnswer(.untrusted(let text)): return .untrusted(text)
        case .noAnswer(.interrupted): return .interrupted
        case .noAnswer(let trouble): return .unreachable(trouble.text)
        case .answer, .postponed: return .unauthorized("the proxy wants credentials, or does not accept these (407)")
        }
    }
}

/// A resolver for a name that has been resolved.
private struct KnownAddresses: Resolver {
    let loop: any EventLoop
    let addresses: [SocketAddress]

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        loop.makeSucceededFuture(addresses.filter { $0.protocol == .inet })
    }

    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        loop.makeSucceededFuture(addresses.filter { $0.protocol == .inet6 })
    }

    func cancelQueries() {}
}
