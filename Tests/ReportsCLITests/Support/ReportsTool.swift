import Diagnosis
import Foundation
import Reports
import TestSupport
import Testing

/// The built `reports` executable, with a spool of its own and an environment in which nothing else is set.
///
/// Each call is a real process. The spool lies in a temporary directory that is also the home directory.
struct ReportsTool: Sendable {
    /// The temporary directory all of it lies in.
    let home: String
    var spool: String
    var environment: [String: String]

    init(home: String) {
        self.home = home
        spool = home + "/spool"
        environment = ["PATH": "/usr/bin:/bin", "HOME": home, "REPORTS_SPOOL": spool]
    }

    /// Where the executable is: beside the test bundle.
    static let path: String = {
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let candidates = [bundle] + CommandLine.arguments
        let folders = candidates.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
        return folders.map { $0 + "/reports" }.first(where: FileManager.default.isExecutableFile) ?? "reports"
    }()

    /// `reports-run`, beside it.
    static let runner = URL(fileURLWithPath: path).deletingLastPathComponent().path + "/reports-run"

    /// What `doctor` prints that finds nothing.
    static let wellWords = "files and ledger agree; 'reports check' says whether reports go out\n"

    // MARK: - Running

    /// Runs a command to its end.
    func run(_ arguments: String..., input: [UInt8] = []) async throws -> ToolResult {
        try await run(arguments, input: input)
    }

    func run(_ arguments: [String], input: [UInt8] = []) async throws -> ToolResult {
        try await runAsynchronously(Self.path, arguments, environment: environment, input: input)
    }

    /// Runs a line of shell in which `$reports` is the executable, for what only a shell can arrange.
    func shell(_ line: String) async throws -> ToolResult {
        var environment = environment
        environment["reports"] = Self.path
        environment["home"] = home
        return try await runAsynchronously("/bin/sh", ["-c", line], environment: environment)
    }

    /// Starts a command and leaves it running.
    func start(_ arguments: String...) throws -> RunningTool {
        try RunningTool(Self.path, arguments, environment: environment, home: home)
    }

    /// Submits to a server.
    func submit(to server: LoopbackServer, _ more: String...) async throws -> ToolResult {
        try await run(["submit", "--json", "--endpoint", server.url("/{id}")] + more)
    }

    /// Submits to a server and gives the one object that is printed.
    func summary(to server: LoopbackServer, _ more: String...) async throws -> JSONValue {
        let result = try await run(["submit", "--json", "--endpoint", server.url("/{id}")] + more)
        return try #require(try result.objects.first, "\(result.errors)")
    }

    /// Runs a command with `--json` and gives all objects that are printed.
    func objects(_ arguments: String...) async throws -> [JSONValue] {
        try await run(arguments + ["--json"]).objects
    }

    /// Adds bytes and gives their id.
    @discardableResult
    func add(_ text: String, _ more: String...) async throws -> String {
        let result = try await run(["add", "-", "--json"] + more, input: Array(text.utf8))
        #expect(result.status == 0, "\(result.errors)")
        return try #require(try result.objects.first?["id"]?.stringValue)
    }

    func show(_ id: String) async throws -> JSONValue {
        let result = try await run("show", id, "--json")
        return try #require(try result.objects.first, "\(result.errors)")
    }

    func state(of id: String) async throws -> String? {
        try await show(id)["state"]?.stringValue
    }

    // MARK: - Files

    /// Drops a file as a program does: written elsewhere, renamed in when it is complete.
    func drop(_ bytes: [UInt8], as name: String) throws {
        try FileManager.default.createDirectory(
            atPath: spool + "/incoming", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let draft = home + "/draft-" + UUID().uuidString
        try whileNothingStarts { try Data(bytes).write(to: URL(fileURLWithPath: draft)) }
        guard rename(draft, spool + "/incoming/" + name) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    func drop(_ text: String, as name: String) throws {
        try drop(Array(text.utf8), as: name)
    }

    /// A file outside the spool.
    @discardableResult
    func file(_ name: String, _ text: String) throws -> String {
        try file(name, bytes: Array(text.utf8))
    }

    @discardableResult
    func file(_ name: String, bytes: [UInt8]) throws -> String {
        let path = home + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// The names in a room of the spool.
    func names(in room: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: spool + "/" + room)) ?? []).sorted()
    }

    /// Every file of the spool, by its path below it.
    func allFiles() -> [String] {
        FileManager.default.enumerator(atPath: spool)?.compactMap { $0 as? String }.sorted() ?? []
    }
}

extension ToolResult {
    /// Standard output as JSON Lines.
    var objects: [JSONValue] {
        get throws {
            try stdout.split(separator: UInt8(ascii: "\n")).map { try JSONValue.parse(Array($0)) }
        }
    }
}

extension JSONValue {
    /// An integer member.
    func count(_ name: String) -> Int64? { self[name]?.integerValue }
}

/// Runs `body` with a tool whose spool is gone afterwards.
func withTool(_ body: (ReportsTool) async throws -> Void) async throws {
    await Turnstile.shared.enter()
    do {
        try await withTemporaryDirectory { home in try await body(ReportsTool(home: home)) }
    } catch {
        await Turnstile.shared.leave()
        throw error
    }
    await Turnstile.shared.leave()
}

/// Runs `body` with a tool and a server, which is stopped afterwards.
func withTool(
    server script: ServerScript, _ body: (ReportsTool, LoopbackServer) async throws -> Void
) async throws {
    try await withTool { tool in
        let server = try LoopbackServer(script)
        defer { server.stop() }
        try await body(tool, server)
    }
}

/// Looks again and again until a condition holds, for what happens in another process without an event.
/// - Returns: whether it came to hold within 20 s.
@discardableResult
func poll(_ condition: () async throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}

/// Expects that a condition comes to hold within 20 s; see ``poll(_:)``.
func expectSoon(
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    let holds = try await poll(condition)
    #expect(holds, sourceLocation: sourceLocation)
}
