import Foundation
import TestSupport
import Testing

/// The built `reports-run`, with a spool of its own and an environment in which nothing else is set.
struct RunTool: Sendable {
    /// The temporary directory that all of it lies in.
    let home: String
    var environment: [String: String]

    init(home: String) {
        self.home = home
        environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "REPORTS_SPOOL": home + "/spool", "run": Self.path,
            "home": home,
        ]
    }

    /// Where the executable is: beside the test bundle.
    static let path: String = {
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let candidates = [bundle] + CommandLine.arguments
        let folders = candidates.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
        return folders.map { $0 + "/reports-run" }.first(where: FileManager.default.isExecutableFile) ?? "reports-run"
    }()

    /// Runs it to its end.
    func run(_ words: String..., input: [UInt8] = []) async throws -> ToolResult {
        try await start(Self.path, ["--quiet"] + words, input: input)
    }

    /// Runs a line of shell in which `$run` is the executable.
    func shell(_ line: String) async throws -> ToolResult {
        try await start("/bin/sh", ["-c", line])
    }

    /// Runs a script of Python in which `RUN` is the executable, and `HOME` the temporary directory.
    func python(_ script: String) async throws -> ToolResult {
        let opening = """
            import fcntl, os, pty, select, signal, subprocess, sys, termios, time
            RUN = [os.environ["run"], "--quiet"]
            HOME = os.environ["home"]
            def wait_for(read, wanted, seconds=20):
                \"\"\"Reads until a text has come.\"\"\"
                text, end = b"", time.monotonic() + seconds
                while wanted not in text:
                    left = end - time.monotonic()
                    assert left > 0 and select.select([read], [], [], left)[0], (wanted, text)
                    try:
                        more = os.read(read, 65536)
                    except OSError:
                        more = b""
                    assert more, (wanted, text)
                    text += more
                return text
            signal.alarm(60)

            """
        return try await start("python3", ["-c", opening + script])
    }

    /// Runs a program to its end, with no signal blocked or ignored: the threads of tests have blocked nearly all, and
    /// NIO's first socket has SIGPIPE ignored, which a program inherits, and which the wrapper rightly leaves so.
    func start(_ program: String, _ words: [String], input: [UInt8] = []) async throws -> ToolResult {
        let words = ["--default-signal=PIPE", program] + words
        return try await withCheckedThrowingContinuation { continuation in
            startThread {
                var none = sigset_t()
                sigemptyset(&none)
                pthread_sigmask(SIG_SETMASK, &none, nil)
                let result = Result {
                    try TestSupport.run("env", words, environment: environment, input: input)
                }
                continuation.resume(with: result)
            }
        }
    }

    /// A file in the temporary directory.
    @discardableResult
    func file(_ name: String, _ text: String, mode: Int = 0o644) throws -> String {
        let path = home + "/" + name
        try whileNothingStarts { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    /// What lies in the spool's `incoming/`.
    func drops() throws -> [DropForTests] {
        let room = home + "/spool/incoming"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: room)) ?? []
        return try names.sorted().map { try DropForTests("\(room)/\($0)") }
    }

    /// Builds a program from a source in C.
    func compile(_ name: String, _ source: String) async throws -> String {
        let path = home + "/" + name
        let source = try file(name + ".c", source)
        let result = try await runAsynchronously("gcc", ["-O1", "-o", path, source])
        try #require(result.status == 0, "\(result.errors)")
        return path
    }
}

/// Runs `body` with a tool whose spool is gone afterwards.
func withRunTool(_ body: (RunTool) async throws -> Void) async throws {
    try await withTemporaryDirectory { home in try await body(RunTool(home: home)) }
}

/// Whether a program is installed, for `.enabled(if:)`.
func isInstalled(_ name: String) -> Bool { findExecutable(name) != nil }

/// Whether this user may make namespaces of processes.
let canMakeNamespaces: Bool = {
    (try? run("unshare", ["-fp", "--mount-proc", "true"]))?.status == 0
}()
