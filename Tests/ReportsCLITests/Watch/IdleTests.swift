import Foundation
import Glibc
import TestSupport
import Testing

@Suite("reports watch with nothing to do")
struct IdleTests {
    /// `REPORTS_WATCH_IDLE=60` measures for a minute, and after a delivery.
    private static let isLong = seconds > 10
    private static let seconds = ProcessInfo.processInfo.environment["REPORTS_WATCH_IDLE"].flatMap { Int($0) } ?? 10

    @Test("nothing wakes it, once what the last report needed is gone")
    func noWakeUps() async throws {
        try await withTool(server: .accepting) { tool, server in
            try await tool.watching("--endpoint", server.url("/{id}")) { process, _ in
                if Self.isLong {
                    try tool.drop("a crash", as: "crash.txt")
                    try await poll { process.errors.contains("delivered") }
                    // The connection and the thread that served it end after 30 s.
                    await server.waitForNoConnections()
                }
                // Threads of the runtime end when they have been idle for some seconds.
                try await quiet(process.processIdentifier, for: 7)
                let before = try switches(of: process.processIdentifier)
                try await Task.sleep(for: .seconds(Self.seconds))
                let after = try switches(of: process.processIdentifier)
                #expect(after == before)
                #expect(threadNames(of: process.processIdentifier).allSatisfy { !$0.hasPrefix("NIO-ELT") })
            }
        }
    }

    @Test("less than 30 MB stay resident once it waits again, though its work has needed more")
    func resident() async throws {
        try await withTool(server: .accepting) { tool, server in
            try await tool.watching("--endpoint", server.url("/{id}")) { process, _ in
                for count in 1...2 {
                    try tool.drop("crash \(count)", as: "\(count).txt")
                    try await poll { tool.names(in: "queued").isEmpty && server.requests.count == count }
                    try await poll { residentKilobytes(of: process.processIdentifier) < 30_000 }
                    #expect(residentKilobytes(of: process.processIdentifier) < 30_000)
                }
                // It works on with what it has let go of.
                #expect(highestKilobytes(of: process.processIdentifier) > 30_000)
            }
        }
    }

    private func residentKilobytes(of process: Int32) -> Int { kilobytes("VmRSS", of: process) ?? .max }
    private func highestKilobytes(of process: Int32) -> Int { kilobytes("VmHWM", of: process) ?? 0 }

    private func kilobytes(_ name: String, of process: Int32) -> Int? {
        let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("\(name):") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    }

    /// Waits until a process has not been woken for so many seconds, at most for a minute.
    private func quiet(_ process: Int32, for seconds: Int) async throws {
        var (last, count) = (try switches(of: process), 0)
        for _ in 0..<60 where count < seconds {
            try await Task.sleep(for: .seconds(1))
            let now = try switches(of: process)
            count = now == last ? count + 1 : 0
            last = now
        }
    }

    /// How often each thread of a process has been woken so far.
    private func switches(of process: Int32) throws -> [String: Int] {
        let folder = "/proc/\(process)/task"
        var switches: [String: Int] = [:]
        for thread in try FileManager.default.contentsOfDirectory(atPath: folder) {
            guard let status = try? String(contentsOfFile: "\(folder)/\(thread)/status", encoding: .utf8) else {
                continue
            }
            switches[thread] = status.split(separator: "\n").filter { $0.contains("ctxt_switches") }
                .compactMap { $0.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) } }.reduce(0, +)
        }
        return switches
    }

    private func threadNames(of process: Int32) -> [String] {
        let folder = "/proc/\(process)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return threads.compactMap { try? String(contentsOfFile: "\(folder)/\($0)/comm", encoding: .utf8) }
    }
}
