import Diagnosis
import Digests
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// The real tool while system calls fail, by strace(1): broken disks, full disks, interrupted calls.
///
/// It may refuse, and say so with a status of the contract; what it has accepted must arrive once the trouble is over.
/// `REPORTS_FAULTS` says how many spools there are for each kind of fault; the default is 4.
@Suite(
    "Faults at any system call",
    .enabled(if: findExecutable("strace") != nil, "needs strace"))
struct FaultInjectionTests {
    private static let count = ProcessInfo.processInfo.environment["REPORTS_FAULTS"].flatMap { Int($0) } ?? 4

    enum Fault: String, CaseIterable, Sendable {
        case syncFails = "fsync,fdatasync:error=EIO"
        case writeFails = "pwrite64:error=EIO"
        case readFails = "pread64:error=EIO"
        case diskIsFull = "pwrite64,ftruncate,fallocate,mkdirat,renameat2:error=ENOSPC"
        case interrupted = "read,pread64,pwrite64:error=EINTR"

        /// Which call of a thread it is that fails. Up to the 30th, reads are those of loader and runtime.
        var calls: ClosedRange<Int> {
            switch self {
            case .syncFails: 1...12
            case .writeFails, .readFails, .diskIsFull: 1...60
            case .interrupted: 31...60
            }
        }

        /// A full disk stays full to the end of the process.
        var isLasting: Bool { self == .diskIsFull }

        /// `add` writes reports with write(2), too. Elsewhere that call also wakes threads (eventfd(2)), and never
        /// fails.
        func injection(into command: String) -> String {
            "inject=" + (command == "add" && rawValue.hasPrefix("pwrite64") ? "write," : "") + rawValue
        }
    }

    /// What the contract allows when something is wrong with the disk.
    private static let statuses: Set<Int32> = [0, 65, 69, 73, 75]

    @Test("what is accepted arrives after it", arguments: Fault.allCases, 0..<count)
    func accepted(_ fault: Fault, seed: Int) async throws {
        try await withTool(server: .accepting) { tool, server in
            var generator = SeededGenerator(seed: UInt64(seed))
            var accepted: Set<String> = []
            // Without a spool the first fault would only ever meet its making.
            accepted.insert(try await tool.add("first \(seed)"))
            for round in 0..<2 {
                let files = try (0..<3).map { number in
                    let filler = number == 1 ? noise(80_000, &generator) : ""
                    return try tool.file("\(round)-\(number).log", "report \(seed) \(round) \(number) \(filler)")
                }
                let added = try await run(tool, ["add", "--json"] + files, fault, &generator)
                let printed = added.output.split(separator: "\n").compactMap { try? JSONValue.parse(Array($0.utf8)) }
                accepted.formUnion(printed.compactMap { $0["id"]?.stringValue })
                if added.status == 0 { #expect(printed.count == 3) }
                let text = "drop \(seed) \(round)"
                try tool.drop(text, as: "drop-\(round).log")
                accepted.insert(ContentHash.of(text).hex)
                _ = try await run(tool, ["submit", "--endpoint", server.url("/{id}")], fault, &generator)
            }
            try await expectAllDelivered(accepted, tool, server, "\(fault), seed \(seed)")
        }
    }

    @Test("a looker whose disk fails says so, and changes nothing", arguments: Fault.allCases, ["list", "status"])
    func lookers(_ fault: Fault, command: String) async throws {
        try await withTool(server: .accepting) { tool, server in
            let id = try await tool.add("seen")
            _ = try await tool.submit(to: server)
            var generator = SeededGenerator(seed: 1)
            for _ in 0..<3 { _ = try await run(tool, [command, "--json"], fault, &generator) }
            #expect(try await tool.state(of: id) == "delivered")
            #expect(try await tool.run("doctor").status == 0)
        }
    }

    @Test("a read of the ledger that fails once has nothing set aside, and one of a report parks nothing")
    func oneFailedRead() async throws {
        let refusing = try RefusingPort()
        try await withTool(server: .accepting) { tool, server in
            var ids: Set<String> = []
            var single = 0
            // Calls are counted for each thread. The ledger is read by any thread of the pool, 80 times in all: with low
            // numbers it may be two reads that fail, with high ones none.
            for call in [8, 10, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52] {
                ids.insert(try await tool.add("report \(call)"))
                let trace = tool.traceFile()
                let setAside = tool.names(in: ".").filter { $0.contains("corrupt") }
                let inject = ["-e", "trace=pread64", "-e", "inject=pread64:error=EIO:when=\(call)"]
                let result = try await runAsynchronously(
                    "strace",
                    ["-f", "-qq", "-o", trace] + inject
                        + [ReportsTool.path, "submit", "--endpoint", refusing.url("/{id}")],
                    environment: tool.environment)
                guard tool.text(of: trace).components(separatedBy: "INJECTED").count == 2 else { continue }
                single += 1
                #expect(result.status == 75, "\(call): \(result.errors)")
                #expect(tool.names(in: ".").filter { $0.contains("corrupt") } == setAside, "\(call): \(result.errors)")
                #expect(tool.names(in: "parked").isEmpty, "\(call)")
            }
            #expect(single > 0)
            try await expectAllDelivered(ids, tool, server, "reads")
        }
    }

    @Test("a file that may not grow: a short write is no report, 73 says so, and nothing stays behind")
    func fileSizeLimit() async throws {
        try await withTool(server: .accepting) { tool, server in
            var generator = SeededGenerator(seed: 2)
            let small = try await tool.add("small")
            let large = try tool.file("large.log", noise(400_000, &generator))
            // The first write above the limit is a short one, the next fails (setrlimit(2)): 64 blocks of 512 bytes.
            let result = try await tool.shell("trap '' XFSZ; ulimit -f 64; exec \"$reports\" add --json '\(large)'")
            #expect(result.status == 73, "\(result.errors)")
            #expect(result.output.isEmpty)
            #expect(tool.names(in: "collected").count == 1)
            #expect(tool.names(in: "tmp").isEmpty)
            try await expectAllDelivered([small], tool, server, "limit")
            #expect(server.requests.count == 1)
        }
    }

    private func run(
        _ tool: ReportsTool, _ arguments: [String], _ fault: Fault, _ generator: inout SeededGenerator
    ) async throws -> ToolResult {
        let number = Int.random(in: fault.calls, using: &generator)
        let inject = "\(fault.injection(into: arguments[0])):when=\(number)\(fault.isLasting ? "+" : "")"
        let result = try await runAsynchronously(
            "strace", ["-f", "-qq", "-o", "/dev/null", "-e", inject, ReportsTool.path] + arguments,
            environment: tool.environment)
        // The loader's status, when a read of its own failed: the tool has not begun.
        if result.status == 127 { return result }
        #expect(!result.wasSignalled && Self.statuses.contains(result.status), "\(inject): \(result.status)")
        if result.status != 0, result.status != 75, fault != .diskIsFull, fault != .writeFails {
            #expect(!result.errors.isEmpty, "\(inject): \(result.status) without a word")
        }
        if fault == .interrupted {
            #expect(result.status == 0, "\(inject) \(arguments[0]): \(result.status) \(result.errors)")
        }
        return result
    }

    private func noise(_ count: Int, _ generator: inout SeededGenerator) -> String {
        String((0..<count).map { _ in Character(Unicode.Scalar(UInt8.random(in: 33...126, using: &generator))) })
    }
}
