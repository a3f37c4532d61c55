import Background
import Digests
import DurableIO
import Foundation
import HTTPTypes
import Reports
import SystemPackage
import TestSupport
import Testing

/// On which threads a reporter works, and when it stops.
@Suite(.timeLimit(.minutes(10)))
struct ReporterThreadsTests {
    @Test("nothing that a reporter does asks disk or ledger for anything on a thread of the program")
    func threads() async throws {
        try await withTemporaryDirectory { directory in
            try await withLoopbackServer(.always(.response(201))) { server in
                let log = ThreadLog()
                let spool = try #require(
                    try ReportSpool.open(
                        FilePath(directory + "/spool"), isCreating: true, files: log.files, clock: log.clock))
                let reporter = Reporter(
                    spool: spool, owner: SpoolOwner.Configuration(destination: .http(server.url("/{id}"))))
                let file = FilePath(directory + "/large")
                // Sent in pieces: it does not shrink.
                try Data(Self.noise(3 << 20)).write(to: URL(fileURLWithPath: file.string))
                try Data("dropped".utf8).write(to: URL(fileURLWithPath: directory + "/spool/incoming/drop"))
                log.listen()
                try await reporter.collect(Self.noise(2 << 20))
                try await reporter.collect(contentsOf: file)
                #expect(try await reporter.submitPending(deadline: .seconds(60)).delivered == 3)
                let request = HTTPRequest(
                    method: .post, scheme: "http", authority: "127.0.0.1:\(server.port)", path: "/own")
                try await reporter.submit(Array("one".utf8), request: request)
                try await reporter.submit(fileAt: file, request: request)
                let running = Task { try await reporter.run() }
                await server.waitForRequests(count: 4)
                running.cancel()
                try await running.value
                await reporter.shutdown()
                #expect(Set(log.foreignCalls) == [])
                #expect(log.count > 100)
            }
        }
    }

    @Test("a caller's own functions run on the program's threads, which they may block")
    func callersFunctions() async throws {
        try await withTemporaryDirectory { directory in
            try await withLoopbackServer(.always(.response(201))) { server in
                let spool = try #require(try ReportSpool.open(FilePath(directory + "/spool"), isCreating: true))
                let threads = Monitor<[String]>([])
                let note: @Sendable () -> Void = { threads.withLock { $0.append(ThreadLog.current) } }
                let own = HTTPRequest(
                    method: .post, scheme: "http", authority: "127.0.0.1:\(server.port)", path: "/own",
                    headerFields: [.authorization: "secret"])
                // An earlier life knew the request.
                try ReportProducer(spool: spool).store([
                    ReportProducer(spool: spool).prepare(
                        .bytes(Array("own".utf8)),
                        as: ReportCollector.Description(
                            kind: .log, name: nil, annotations: [:],
                            request: CallerRequest(
                                method: "POST", url: server.url("/own"), headerNames: ["Authorization"])),
                        from: "own")
                ])
                let destination = Destination.http(server.url("/{id}")) {
                    note()
                    return []
                }
                let reporter = Reporter(spool: spool, owner: SpoolOwner.Configuration(destination: destination)) { _ in
                    note()
                    return own
                }
                try await reporter.collect(Array("one".utf8))
                #expect(try await reporter.submitPending(deadline: .seconds(60)).delivered == 2)
                await reporter.shutdown()
                #expect(threads.value.count == 2)
                #expect(!threads.value.contains(OwnThreads.name))
            }
        }
    }

    @Test("pipes that stand still keep no other payload and no report from their way")
    func pipes() async throws {
        try await withTemporaryDirectory { directory in
            try await withLoopbackServer(.always(.response(201))) { server in
                let opened = Monitor(0)
                let files = FaultingFileSystem { call in
                    if call.operation == .open { opened.withLock { $0 += 1 } }
                }
                let spool = try #require(
                    try ReportSpool.open(FilePath(directory + "/spool"), isCreating: true, files: files))
                opened.withLock { $0 = 0 }
                let reporter = Reporter(
                    spool: spool, owner: SpoolOwner.Configuration(destination: .http(server.url("/{id}"))))
                let paths = (0..<OwnThreads.coreCount + 2).map { FilePath(directory + "/pipe\($0)") }
                // The test is a writer of each that writes nothing.
                let writers = try paths.map { path in
                    #expect(mkfifo(path.string, 0o600) == 0)
                    return try FileDescriptor.open(path, .readWrite, options: .nonBlocking)
                }
                let collecting = paths.map { path in
                    Task { try await reporter.collect(contentsOf: path, kind: .log) }
                }
                await opened.wait { $0 >= paths.count }
                try await reporter.collect(Self.noise(2 << 20), kind: .crash)
                #expect(try await reporter.submitPending(deadline: .seconds(60)).delivered == 1)
                for writer in writers { try writer.close() }
                for task in collecting { _ = try await task.value }
                await reporter.shutdown()
            }
        }
    }

    @Test("a collect whose task is cancelled ends within a block and leaves nothing", arguments: Way.allCases)
    fileprivate func cancellation(_ way: Way) async throws {
        try await withTemporaryDirectory { directory in
            let path = FilePath(directory + "/spool")
            let payload = Self.noise(16 << 20)
            let file = FilePath(directory + "/payload")
            try Data(payload).write(to: URL(fileURLWithPath: file.string))
            let writes = Monitor(0)
            let task = Monitor<Task<Void, any Error>?>(nil)
            let files = FaultingFileSystem { call in
                guard call.operation == .write else { return }
                writes.withLock { $0 += 1 }
                task.value?.cancel()
            }
            let spool = try #require(try ReportSpool.open(path, isCreating: true, files: files))
            let reporter = Reporter(spool: spool, owner: SpoolOwner.Configuration(destination: nil))
            let begin = Gate()
            let collecting = Task {
                await begin.wait()
                writes.withLock { $0 = 0 }
                try await way.collect(payload, file, reporter)
            }
            task.withLock { $0 = collecting }
            begin.open()
            await #expect(throws: CancellationError.self) { try await collecting.value }
            // 16 MiB would be 128 of them.
            #expect((1...16).contains(writes.value))
            #expect(try spool.files.entries(of: spool.temporary).isEmpty)
            #expect(try spool.files.entries(of: spool.collected).isEmpty)
        }
    }

    fileprivate enum Way: CaseIterable {
        case bytes, file, ownRequest

        func collect(_ payload: [UInt8], _ file: FilePath, _ reporter: Reporter) async throws {
            switch self {
            case .bytes: try await reporter.collect(payload)
            case .file: try await reporter.collect(contentsOf: file)
            case .ownRequest:
                let request = HTTPRequest(method: .post, scheme: "http", authority: "127.0.0.1:1", path: "/")
                try await reporter.submit(fileAt: file, request: request)
            }
        }
    }

    @Test("a payload of one block is stored by a task that was cancelled")
    func smallPayload() async throws {
        try await withTemporaryDirectory { directory in
            let reporter = try Reporter(spool: FilePath(directory + "/spool"))
            let begin = Gate()
            let collecting = Task {
                await begin.wait()
                return try await reporter.collect(Array("why it was cancelled".utf8))
            }
            collecting.cancel()
            begin.open()
            #expect(try await collecting.value == ContentHash.of("why it was cancelled").hex)
        }
    }

    private static func noise(_ count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: UInt64(count))
        return (0..<count / 8).flatMap { _ in
            withUnsafeBytes(of: generator.next()) { Array($0) }
        }
    }
}
