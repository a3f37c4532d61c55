import Background
import Digests
import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

@Suite("What is sent")
struct RequestFormTests {
    @Test(
        "a request carries the payload, its digests and its description, and nothing local",
        .enabled(if: findExecutable("gunzip") != nil), arguments: ["PUT", "POST"])
    func request(method: String) async throws {
        try await withTemporaryDirectory { directory in
            let file = directory + "/local-name.log"
            let payload = Array(String(repeating: "a line of a log\n", count: 400).utf8)
            try Data(payload).write(to: URL(fileURLWithPath: file))
            try await withLoopbackServer(.always(.response(201))) { server in
                let url = server.url(method == "PUT" ? "/{kind}/{id}" : "/reports?host={host}")
                let reporter = try Reporter(
                    spool: FilePath(directory + "/spool"),
                    destination: .http(url, headers: [("Authorization", "Bearer token")]))
                let id = try await reporter.collect(
                    contentsOf: FilePath(file), kind: .log, annotations: ["version": "2.1", "grx": "é"])
                let summary = try await reporter.submitPending()
                #expect(summary.delivered == 1)
                let request = try #require(server.requests.first)
                let wire = request.body
                let hash = ContentHash.of(bytes: payload)
                #expect(id == hash.hex)
                #expect(request.method == method)
                #expect(method == "POST" || request.target == "/log/\(id)")
                let expected = [
                    "Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip",
                    "Content-Length": "\(wire.count)", "Idempotency-Key": "\"\(id)\"",
                    "Unencoded-Digest": "sha-256=:\(hash.base64):",
                    "Repr-Digest": "sha-256=:\(ContentHash.of(bytes: wire).base64):", "Report-Kind": "log",
                    "Report-Annotations": #"grx=%"%c3%a9", version="2.1""#,
                    "User-Agent": "Reports/\(ReportsVersion.current)",
                    "Authorization": "Bearer token",
                ]
                for (name, value) in expected { #expect(request.headers.values(name) == [value], "\(name)") }
                #expect(request.headers["Report-Collected-At"].flatMap(RFC3339.milliseconds) != nil)
                #expect(request.headers["Transfer-Encoding"] == nil)
                #expect(try run("gunzip", ["-c"], input: wire).stdout == payload)
                let sent = request.target + request.headers.all.map { $0.name + $0.value }.joined() + request.text
                #expect(!sent.contains("local-name"))
                #expect(!sent.contains(directory))
            }
        }
    }

    @Test("bytes that are not what was stored are not sent, and wait for a person")
    func damaged() async throws {
        try await withSpool { harness in
            let id = try await harness.make(.queued)
            try harness.damage(id, in: "queued")
            #expect(try await harness.submit().rejected == 1)
            #expect(harness.sent == [])
            #expect(try harness.record(id)?.note?.contains("damaged") == true)
            #expect(try harness.rooms(of: id) == ["parked"])
        }
    }

    @Test(
        "of a large report that is damaged no server ever has the whole, wherever the damage is",
        arguments: [ReportEncoding.gzip, .file, .identity], [0.3, 0.999_999])
    func largeDamaged(encoding: ReportEncoding, place: Double) async throws {
        try await withTemporaryDirectory { directory in
            // Noise does not shrink: the file is sent as a stream.
            let payload = SamplePayload.random(3 << 20)
            try await withLoopbackServer(.always(.response(201))) { server in
                var destination = Destination.http(server.url("/{id}"))
                destination.encoding = encoding
                let reporter = try Reporter(spool: FilePath(directory + "/spool"), destination: destination)
                let id = try await reporter.collect(payload)
                let collected = directory + "/spool/collected/"
                let entry = try #require(FileManager.default.contentsOfDirectory(atPath: collected).first)
                let url = URL(fileURLWithPath: collected + entry)
                var bytes = try Data(contentsOf: url)
                bytes[Int(Double(bytes.count) * place)] ^= 1
                try whileNothingStarts { try bytes.write(to: url) }
                #expect(try await reporter.submitPending().rejected == 1)
                let completeCount = server.requests.count { $0.isComplete }
                #expect(completeCount == 0)
                let spool = try #require(try ReportSpool.open(FilePath(directory + "/spool"), isCreating: false))
                let record = try #require(try SpoolInspector(spool: spool).record(id))
                #expect(record.note?.contains("its bytes are not those that were stored") == true)
                #expect(record.attempts == 1)
            }
        }
    }

    @Test("a header that claims a size that no file has is damage, and ends nobody's process", arguments: [5, 3 << 20])
    func impossibleSize(count: Int) async throws {
        try await withTemporaryDirectory { directory in
            try await withLoopbackServer(.always(.response(201))) { server in
                var destination = Destination.http(server.url("/{id}"))
                destination.encoding = .identity
                let reporter = try Reporter(spool: FilePath(directory + "/spool"), destination: destination)
                _ = try await reporter.collect(SamplePayload.random(count))
                let collected = directory + "/spool/collected/"
                let entry = try #require(FileManager.default.contentsOfDirectory(atPath: collected).first)
                let url = URL(fileURLWithPath: collected + entry)
                var bytes = try Data(contentsOf: url)
                // The field RD: 41 bytes, of which the first is the version and the next eight are the size.
                let record = try #require(bytes.firstRange(of: Data("RD\u{29}\0\u{1}".utf8)))
                bytes.replaceSubrange(record.upperBound..<record.upperBound + 8, with: repeatElement(0xff, count: 8))
                try whileNothingStarts { try bytes.write(to: url) }
                #expect(try await reporter.submitPending().rejected == 1)
                #expect(server.requests.isEmpty)
            }
        }
    }

    @Test("a report whose file is gone is not sent, and ends as removed")
    func missing() async throws {
        try await withSpool { harness in
            let id = try await harness.make(.queued)
            try harness.remove(id, in: "queued")
            _ = try await harness.submit()
            #expect(harness.sent == [])
            #expect(try harness.state(id) == .removed)
            #expect(try harness.record(id)?.reason == .ended(.bytesMissing))
        }
    }

    @Test(
        "headers that cannot be had are nobody's fault: the report waits, uncharged, and nothing of the error is kept")
    func headersMissing() async throws {
        struct NoToken: Error { let secret = "hunter2" }
        try await withSpool { harness in
            let id = try harness.add("one")
            var configuration = SpoolOwner.Configuration(
                destination: .http("http://collector.example/{id}") { throw NoToken() })
            configuration.transport = harness.transport
            let summary = try await Submission(spool: harness.spool, configuration: configuration).run()
            #expect(summary.waiting == 1)
            #expect(harness.sent == [])
            let record = try #require(try harness.record(id))
            #expect(record.state == .waiting)
            #expect(record.charged == 0)
            #expect(record.lastError?.contains("hunter2") == false)
            harness.clock.advance(by: 5_000)
            #expect(try await harness.submit().delivered == 1)
        }
    }

    @Test("the newest crashes go first, then what is due longest")
    func order() async throws {
        try await withSpool { harness in
            var ids: [ContentHash] = []
            for (text, kind) in [("log 1", ReportKind.log), ("crash 1", .crash), ("log 2", .log), ("crash 2", .crash)] {
                ids.append(try harness.add(text, kind: kind))
                try await harness.takeIn()
                harness.clock.advance(by: 1_000)
            }
            var configuration = harness.configuration()
            configuration.maximumConcurrent = 1
            _ = try await Submission(spool: harness.spool, configuration: configuration).run()
            #expect(harness.sent == [ids[3], ids[1], ids[0], ids[2]].map(\.hex))
        }
    }

    @Test(
        "an endpoint that is none is refused before anything is done",
        arguments: ["", "ftp://host/", "http://", "not a url", "http://user:secret@host/"])
    func badEndpoint(url: String) throws {
        try withTemporaryDirectory { directory in
            let error = #expect(throws: ReportsError.self) {
                try Reporter(spool: FilePath(directory + "/spool"), destination: .http(url))
            }
            #expect(error?.code == .badConfiguration)
            #expect(error?.message.contains("secret") == false)
            let made = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(made == [])
        }
    }
}
