import Background
import DurableIO
import Foundation
import HTTPTypes
import SystemPackage
import TestSupport
import Testing

@testable import Reports

/// Connection settings of the destinations of a run, as its owner uses them.
@Suite("Connections of destinations", .timeLimit(.minutes(2)))
struct DestinationConnectionTests {
    private func configuration(_ routing: Routing, _ settings: ConnectionSettings) -> SpoolOwner.Configuration {
        var configuration = SpoolOwner.Configuration(routing: routing)
        configuration.connection = settings
        return configuration
    }

    private func problem(of routing: Routing, _ settings: ConnectionSettings) async throws -> ReportsError? {
        try await withTemporaryDirectory { path in
            let harness = try SpoolHarness(path)
            let error = await #expect(throws: ReportsError.self) {
                try await SpoolOwner.become(of: harness.spool, configuration(routing, settings))
            }
            // The lock is free again.
            let owner = try #require(try await harness.own())
            try await owner.resign()
            return error
        }
    }

    @Test("files that none of them can use stop the run before anything waits, and the error says why")
    func brokenFile() async throws {
        var (sound, broken) = (ConnectionSettings(), ConnectionSettings())
        sound.proxy = .none
        broken.tls.certificateAuthorities = "/nowhere/roots.pem"
        var dumps = Destination.http("https://dumps.example/{id}")
        dumps.connection = broken
        let main = NamedDestination("main", .http("https://main.example/{id}"))
        let several = try Routing([main, NamedDestination("dumps", dumps)], routes: [])
        let words = "/nowhere/roots.pem: cannot be read: No such file or directory"
        let one = try Routing([NamedDestination("dumps", dumps)], routes: [])
        for (routing, settings, message) in [
            (several, broken, words), (Routing(dumps), sound, words), (one, sound, "destination dumps: \(words)"),
        ] {
            let error = try await problem(of: routing, settings)
            #expect(error?.code == .badConfiguration)
            #expect(error?.message == message)
        }
    }

    @Test("a file that one of them cannot use keeps its own reports back, and no others")
    func oneBroken() async throws {
        try await withLoopbackServer(.always(.response(201))) { server in
            var (sound, broken) = (ConnectionSettings(), ConnectionSettings())
            sound.proxy = .none
            broken.tls.certificateAuthorities = "/nowhere/roots.pem"
            var dumps = Destination.http(server.url("/dumps/{id}"))
            dumps.connection = broken
            try await withTemporaryDirectory { path in
                let harness = try SpoolHarness(path + "/spool")
                let routing = try Routing(
                    [NamedDestination("main", .http(server.url("/{id}"))), NamedDestination("dumps", dumps)],
                    routes: [.to("dumps", kinds: [.crash])])
                let crash = try harness.add("a crash", kind: .crash)
                try harness.add("a log", kind: .log)
                let run = Submission(spool: harness.spool, configuration: configuration(routing, sound))
                let summary = try await run.run()
                #expect(summary.delivered == 1)
                let words = "/nowhere/roots.pem: cannot be read: No such file or directory"
                #expect(summary.repairs == ["the destination dumps: \(words); its reports wait"])
                let record = try harness.record(crash)
                #expect(record?.state == .waiting)
                #expect(record?.reason == .waiting(.headers))
                #expect(record?.note == words)
                #expect(record?.charged == 0)
            }
        }
    }

    @Test("each destination is met by its own settings; requests of callers use those of the run")
    func settingsByName() async throws {
        try await withLoopbackServer(.always(.response(201))) { server in
            try await withLoopbackServer(.always(.response(202))) { proxy in
                var (direct, behind) = (ConnectionSettings(), ConnectionSettings())
                direct.proxy = .none
                behind.proxy = try .server("http://127.0.0.1:\(proxy.port)", exceptions: "")
                var archive = Destination.http(server.url("/{id}"))
                archive.connection = behind
                let routing = try Routing(
                    [NamedDestination("main", .http(server.url("/{id}"))), NamedDestination("archive", archive)],
                    routes: [])
                let connections = try NamedConnections.open(
                    for: routing, ownSettings: direct, files: POSIXFileSystem())
                for (name, status) in [("main", 201), ("archive", 202), (nil, 201)] {
                    var request = TransferRequest(endpoint: try Endpoint(server.url("/x")), method: .get, fields: [:])
                    request.connection = name
                    guard case .answer(let answer) = await connections.send(request) else {
                        Issue.record("no answer over \(name ?? "the run's own")")
                        continue
                    }
                    #expect(answer.status == status)
                }
                #expect(proxy.requests.map(\.target) == [server.url("/x")])
                await connections.shutdown()
            }
        }
    }

    @Test("a run meets each destination with its own authority and client certificate")
    func oneRun() async throws {
        try await withTemporaryDirectory { path in
            let servers = [try TestAuthority(), try TestAuthority()]
            let clients = [try TestAuthority(), try TestAuthority()]
            let settings = try (0...1).map { try Self.settings(path, "\($0)", servers[$0], clients[$0].identity()) }
            let pems = try clients.map { try $0.pem }
            try await withTLSServer(servers[0].identity(), .always(.response(201)), clients: pems[0]) { crashes, one in
                try await withTLSServer(servers[1].identity(), .always(.response(201)), clients: pems[1]) { rest, two in
                    var first = Destination.http(rest.url("/{id}"))
                    var second = Destination.http(crashes.url("/{id}"))
                    (first.connection, second.connection) = (settings[1], settings[0])
                    let harness = try SpoolHarness(path + "/spool")
                    let routing = try Routing(
                        [NamedDestination("rest", first), NamedDestination("crashes", second)],
                        routes: [.to("crashes", kinds: [.crash])])
                    let ids = try [("a crash", ReportKind.crash), ("a log", .log)].map {
                        try harness.add($0, kind: $1).hex
                    }
                    let run = Submission(spool: harness.spool, configuration: configuration(routing, .init()))
                    let summary = try await run.run()
                    #expect(summary.delivered == 2, "\(summary)")
                    #expect(one.requests.map(\.target) == ["/\(ids[0])"])
                    #expect(two.requests.map(\.target) == ["/\(ids[1])"])
                }
            }
        }
    }

    private static func settings(
        _ path: String, _ name: String, _ server: TestAuthority, _ client: TestAuthority.Identity
    ) throws -> ConnectionSettings {
        func write(_ kind: String, _ text: String) throws -> FilePath {
            let file = "\(path)/\(name)-\(kind).pem"
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            return FilePath(file)
        }
        var settings = ConnectionSettings()
        settings.proxy = .none
        settings.tls.certificateAuthorities = try write("roots", server.pem)
        settings.tls.clientCertificate = try write("client", client.certificate)
        settings.tls.clientKey = try write("key", client.key)
        return settings
    }
}
