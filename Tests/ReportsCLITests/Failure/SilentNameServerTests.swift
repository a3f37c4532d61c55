import Foundation
import TestSupport
import Testing

/// A name server that never answers, in a network and with a resolver's settings of the tool's own.
@Suite(
    "A name server that does not answer", .timeLimit(.minutes(5)),
    .enabled(if: NamedNetwork.isPossible, "needs root, unshare, ip and python3"))
struct SilentNameServerTests {
    @Test("does not outlast the deadline", arguments: ["0.5", "2"])
    func deadline(seconds: String) async throws {
        try await withTool(server: .accepting) { tool, _ in
            try await tool.add("one")
            let network = NamedNetwork(tool, timeout: 5)
            let (result, time) = try await network.run("submit", "--endpoint", NamedNetwork.url, "--deadline", seconds)
            #expect(result.status == 75, "\(result.errors)")
            #expect(result.errors == "")
            #expect(time < (Double(seconds) ?? 0) + 1, "\(time)")
        }
    }

    @Test("is told in plain words, and no library speaks when the resolver gives up as the run ends")
    func words() async throws {
        try await withTool(server: .accepting) { tool, _ in
            try await tool.add("one")
            // The resolver's own patience ends with the tool's, at 5 s.
            for _ in 0..<3 {
                let network = NamedNetwork(tool, timeout: 5, attempts: 1)
                let (result, time) = try await network.run("submit", "--endpoint", NamedNetwork.url)
                #expect(result.status == 75)
                #expect(result.errors == "")
                #expect(time < 7)
                let host = "\(NamedNetwork.host):80"
                let words = [
                    "no connection to \(host) within 5 s: the name server or the server does not answer",
                    "the name \(NamedNetwork.host) could not be resolved",
                ]
                #expect(words.contains { result.output.contains($0) }, "\(result.output)")
            }
        }
    }
}

/// Runs the tool where names are asked of a server that only listens.
private struct NamedNetwork {
    static let host = "diagnostics.example"
    static let url = "http://\(host)/{id}"

    static let isPossible =
        geteuid() == 0 && ["unshare", "ip", "mount", "python3"].allSatisfy { findExecutable($0) != nil }
        && (try? TestSupport.run("unshare", ["-mn", "true"]))?.status == 0

    private let tool: ReportsTool
    /// In seconds, for each of the resolver's attempts.
    private let timeout: Int
    private let attempts: Int

    init(_ tool: ReportsTool, timeout: Int, attempts: Int = 2) {
        (self.tool, self.timeout, self.attempts) = (tool, timeout, attempts)
    }

    /// - Returns: how the tool ended, and after how many seconds.
    func run(_ arguments: String...) async throws -> (ToolResult, Double) {
        let script = """
            ip link set lo up
            mount --bind "$0" /etc/resolv.conf
            exec python3 -c "$1" "${@:2}"
            """
        let program = """
            import os, socket, subprocess, sys, time
            server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            server.bind(("127.0.0.53", 53))
            begun = time.monotonic()
            process = subprocess.run(sys.argv[1:])
            with open(os.environ["TIME_FILE"], "w") as file: file.write(str(time.monotonic() - begun))
            sys.exit(process.returncode)
            """
        let settings = try tool.file(
            "resolv.conf", "nameserver 127.0.0.53\noptions timeout:\(timeout) attempts:\(attempts)\n")
        var environment = tool.environment
        environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
        environment["TIME_FILE"] = tool.home + "/time"
        let result = try await runAsynchronously(
            "unshare", ["-mn", "bash", "-c", script, settings, program, ReportsTool.path] + arguments,
            environment: environment)
        let text = try String(contentsOfFile: tool.home + "/time", encoding: .utf8)
        return (result, try #require(Double(text)))
    }
}
