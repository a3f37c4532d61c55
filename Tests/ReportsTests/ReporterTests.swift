import Digests
import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

@Suite("Reporter")
struct ReporterTests {
    @Test("submitPending returns at its deadline, and the transfers go on")
    func deadline() async throws {
        try await withSpool { harness in
            let answer = Gate()
            harness.transport.answer { _ in
                await answer.wait()
                return .status(200)
            }
            let reporter = Reporter(spool: harness.spool, owner: harness.configuration())
            let id = try await reporter.collect(Array("one".utf8), kind: .crash)
            async let early = reporter.submitPending(deadline: .seconds(5))
            await harness.transport.waitForSent(count: 1)
            await harness.clock.waitForSleeper(until: harness.clock.bootMilliseconds + 5_000)
            harness.clock.advance(by: 5_000)
            let summary = try await early
            #expect(summary.delivered == 0)
            #expect(summary.waiting == 1)

            answer.open()
            _ = try await reporter.submitPending()
            #expect(harness.sent == [id])
            #expect(try harness.entries("queued") == [])
        }
    }

    @Test("beside another process's owner submitPending leaves the work to it, at once")
    func ownedElsewhere() async throws {
        try await withSpool { harness in
            let owner = try #require(try await harness.own())
            let reporter = Reporter(spool: harness.spool, owner: harness.configuration())
            try await reporter.collect(Array("one".utf8))
            let summary = try await reporter.submitPending()
            #expect(summary.isOwnedElsewhere)
            #expect(summary.delivered == 0)
            try await owner.resign()
            #expect(try await reporter.submitPending().delivered == 1)
        }
    }

    @Test("a collected file keeps its name byte for byte")
    func fileName() async throws {
        try await withSpool { harness in
            let name = try #require(EntryName(bytes: [0x63, 0xff, 0x2e, 0x6c]))
            let files = harness.spool.files
            try files.write(Array("one".utf8), to: files.createFile(name, in: harness.spool.root))
            let path = (harness.path + "/").utf8CString.dropLast() + name.bytes.map { CChar(bitPattern: $0) } + [0]
            let reporter = Reporter(spool: harness.spool, owner: harness.configuration())
            let id = try await reporter.collect(contentsOf: FilePath(platformString: Array(path)))
            try await harness.takeIn()
            #expect(try SpoolInspector(spool: harness.spool).report(id).name == name.bytes)
        }
    }

    @Test("what is collected while a submission runs is delivered by the call that follows")
    func joined() async throws {
        try await withSpool { harness in
            let answer = Gate()
            harness.transport.answer { _ in
                await answer.wait()
                return .status(200)
            }
            let reporter = Reporter(spool: harness.spool, owner: harness.configuration())
            try await reporter.collect(Array("one".utf8))
            async let first = reporter.submitPending()
            await harness.transport.waitForSent(count: 1)
            let second = try await reporter.collect(Array("two".utf8))
            async let joined = reporter.submitPending()
            answer.open()
            _ = try await (first, joined)
            #expect(harness.sent.contains(second))
            #expect(try harness.entries("queued") == [])
        }
    }

    @Test("run takes in what comes later, and sends again when it is due")
    func run() async throws {
        try await withSpool { harness in
            harness.transport.answer { $0.index == 0 ? .refused : .status(200) }
            let first = try harness.add("first")
            let reporter = Reporter(spool: harness.spool, owner: harness.configuration())
            let running = Task { try await reporter.run() }
            await harness.transport.waitForSent(count: 1)
            let mover = Task {
                while !Task.isCancelled {
                    await harness.clock.waitForSleeper()
                    harness.clock.advance(by: 500)
                    await Task.yield()
                }
            }
            await harness.transport.waitForSent(count: 2)
            try harness.drop("later", "second")
            await harness.transport.waitForSent(count: 3)
            mover.cancel()
            running.cancel()
            try await running.value
            #expect(harness.sent.prefix(2) == [first.hex, first.hex])
            #expect(harness.sent.last == ContentHash.of("second").hex)
            #expect(try await harness.own() != nil)
        }
    }

    @Test("shutdown gives back what is under way")
    func shutdown() async throws {
        try await withSpool { harness in
            let never = Gate()
            harness.transport.answer { _ in
                await never.wait()
                return .status(200)
            }
            let reporter = Reporter(spool: harness.spool, owner: harness.configuration())
            try await reporter.collect(Array("one".utf8))
            async let running = reporter.submitPending()
            await harness.transport.waitForSent(count: 1)
            await reporter.shutdown()
            #expect(try await running.waiting == 1)
            #expect(try await harness.own() != nil)
        }
    }

    @Test("a certificate that is not there costs no report: collecting goes on, and submitting says what is wrong")
    func badConnection() async throws {
        try await withTemporaryDirectory { directory in
            try await withLoopbackServer(.always(.response(201))) { server in
                let path = FilePath(directory + "/spool")
                var configuration = Reporter.Configuration()
                configuration.connection.tls.certificateAuthorities = "/nonexistent.pem"
                let broken = try Reporter(
                    spool: path, destination: .http(server.url("/{id}")), configuration: configuration)
                try await broken.collect(Array("one".utf8))
                let error = await #expect(throws: ReportsError.self) { try await broken.submitPending() }
                #expect(error?.code == .badConfiguration)
                #expect(error?.message == "/nonexistent.pem: cannot be read: No such file or directory")
                #expect(server.connectionCount == 0)

                let mended = try Reporter(spool: path, destination: .http(server.url("/{id}")))
                #expect(try await mended.submitPending().delivered == 1)
            }
        }
    }
}
