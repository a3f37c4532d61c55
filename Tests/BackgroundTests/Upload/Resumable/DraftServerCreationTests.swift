import TestSupport
import Testing

/// How uploads are discovered and begun (draft-12, sections 4.1.4 and 4.2), seen by a client that knows nothing of the
/// server.
@Suite(.timeLimit(.minutes(10)))
struct DraftServerCreationTests {
    // MARK: OPTIONS

    @Test("OPTIONS tells that parts may be appended, and the limits there are")
    func discovery() throws {
        var rules = DraftRules()
        rules.limits = .init(maxSize: 1_000, maxAppendSize: 100, maxAge: 60)
        let server = try DraftResumableServer(rules)
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let answer = try client.ask("OPTIONS", "/reports")
        #expect(answer.status == 204)
        #expect(answer.headers["Accept-Patch"] == "application/partial-upload")
        #expect(answer.headers["Upload-Limit"] == "max-size=1000, max-append-size=100, max-age=60")

        server.update { $0.limits = .init(minSize: 1, minAppendSize: 2) }
        #expect(try client.ask("OPTIONS", "*").headers["Upload-Limit"] == "min-size=1, min-append-size=2")
        server.update { $0.uploadLimitField = #"max-size="7""# }
        #expect(try client.ask("OPTIONS", "/").headers["Upload-Limit"] == #"max-size="7""#)
    }

    @Test("OPTIONS tells no limits where there are none, and either field can be left out")
    func quietDiscovery() throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        #expect(try client.ask("OPTIONS", "/reports").headers["Upload-Limit"] == nil)
        server.update { $0.limits.maxSize = 9 }
        server.update { $0.announcesLimits = false }
        #expect(try client.ask("OPTIONS", "/reports").headers["Upload-Limit"] == nil)
        server.update { $0.announcesAcceptPatch = false }
        #expect(try client.ask("OPTIONS", "/reports").headers["Accept-Patch"] == nil)
    }

    @Test("Without the right version there is no upload, only an ordinary request", arguments: ["6", "9", "8.0", nil])
    func strangers(version: String?) throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port, version: version)
        let options = try client.ask("OPTIONS", "/reports")
        #expect(options.status == 405)
        #expect(options.headers["Accept-Patch"] == nil)
        let answer = try client.ask("POST", "/reports", ["Upload-Complete": "?0"], "")
        #expect(answer.status == 200)
        #expect(answer.headers["Location"] == nil)
        #expect(server.reports.map(\.byteCount) == [0])
        #expect(server.uploads.isEmpty)
    }

    @Test("A server may refuse other versions, and names its own")
    func refusedStrangers() throws {
        var rules = DraftRules()
        rules.strangers = .areRefused
        let server = try DraftResumableServer(rules)
        defer { server.stop() }
        let answer = try RawUploadClient(server.port, version: "6").ask("POST", "/", ["Upload-Complete": "?1"], "abc")
        #expect(answer.status == 400)
        #expect(answer.headers["Upload-Draft-Interop-Version"] == "8")
        #expect(server.reports.isEmpty)
    }

    // MARK: Creation

    @Test("An empty creation is answered with a place to send parts to, and the application knows nothing of it")
    func carefulCreation() throws {
        var rules = DraftRules()
        rules.limits.maxAppendSize = 4
        let server = try DraftResumableServer(rules)
        defer { server.stop() }
        let answer = try RawUploadClient(server.port).ask(
            "POST", "/reports", ["Upload-Complete": "?0", "Upload-Length": "10"], "")
        #expect(answer.status == 201)
        #expect(answer.headers["Location"]?.hasPrefix(server.url("/uploads/")) == true)
        #expect(answer.headers["Upload-Complete"] == "?0")
        #expect(answer.headers["Upload-Offset"] == "0")
        #expect(answer.headers["Upload-Limit"] == "max-append-size=4")
        #expect(answer.interim.isEmpty)
        #expect(server.reports.isEmpty)
        let status = UploadStatus(
            path: answer.uploadPath ?? "", offset: 0, length: 10, isComplete: false, isAccessible: true)
        #expect(server.uploads == [status])
    }

    @Test("Location may be relative, and no two uploads have the same")
    func relativeLocation() throws {
        var rules = DraftRules()
        rules.usesRelativeLocation = true
        let server = try DraftResumableServer(rules)
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let locations = try (0..<10).map { _ in
            try client.ask("PUT", "/reports/1", ["Upload-Complete": "?0"], "ab").headers["Location"] ?? ""
        }
        #expect(locations.allSatisfy { $0.hasPrefix("/uploads/") })
        #expect(Set(locations).count == 10)
    }

    @Test("A creation with all of the content is a whole report, without the draft's fields")
    func wholeCreation() throws {
        var rules = DraftRules()
        rules.application = { ReportAnswer(status: 202, headers: [("X-Size", "\($0.byteCount)")], body: [111, 107]) }
        let server = try DraftResumableServer(rules)
        defer { server.stop() }
        let answer = try RawUploadClient(server.port).ask(
            "PUT", "/reports/1", ["Upload-Complete": "?1", "Upload-Length": "5", "Idempotency-Key": "k"], "hello")
        #expect(answer.status == 202)
        #expect(answer.body == "ok")
        #expect(answer.headers["X-Size"] == "5")
        #expect(answer.headers["Upload-Complete"] == "?1")
        let report = try #require(server.reports(withKey: "k").first)
        #expect(report.method == "PUT")
        #expect(report.target == "/reports/1")
        #expect(report.body == Array("hello".utf8))
        #expect(report.sha256 == sha256("hello"))
        #expect(report.uploadPath == server.uploads.first?.path)
        #expect(report.headers.all.allSatisfy { !$0.name.hasPrefix("Upload-") })
    }

    @Test("A 104 names the upload before the content, another tells progress")
    func interimResponses() throws {
        var rules = DraftRules()
        rules.sendsInterimResponses = true
        rules.progressByteCount = 4
        rules.limits.maxSize = 100
        let server = try DraftResumableServer(rules)
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        try client.send("POST", "/", ["Upload-Complete": "?0"], declaring: 8)
        let first = try client.receiveHead()
        #expect(first.status == 104)
        #expect(first.headers["Upload-Draft-Interop-Version"] == "8")
        #expect(first.headers["Upload-Limit"] == "max-size=100")
        try client.connection.send("abcde")
        let second = try client.receiveHead()
        #expect(second.status == 104)
        #expect(second.headers["Upload-Offset"] == "5")
        #expect(second.headers["Location"] == nil)
        try client.connection.send("fgh")
        let last = try client.receive()
        #expect(last.status == 201)
        #expect(last.headers["Location"] == first.headers["Location"])
    }

    @Test("There is no 104 for another version")
    func noInterimResponseForStrangers() throws {
        var rules = DraftRules()
        rules.sendsInterimResponses = true
        let server = try DraftResumableServer(rules)
        defer { server.stop() }
        let answer = try RawUploadClient(server.port, version: "7").ask("POST", "/", ["Upload-Complete": "?1"], "a")
        #expect(answer.status == 200)
        #expect(answer.interim.isEmpty)
    }

    @Test("A creation beyond a limit is refused with the limits, and leaves nothing")
    func limits() throws {
        let cases: [(DraftRules.Limits, [String: String], String, Int)] = [
            (.init(maxSize: 5), ["Upload-Complete": "?0", "Upload-Length": "6"], "", 413),
            (.init(maxSize: 5), ["Upload-Complete": "?1"], "123456", 413),
            (.init(minSize: 5), ["Upload-Complete": "?1"], "1234", 400),
            (.init(minSize: 5), ["Upload-Complete": "?0"], "", 400),
            (.init(maxAppendSize: 5), ["Upload-Complete": "?1"], "123456", 413),
            (.init(minAppendSize: 5), ["Upload-Complete": "?0"], "1234", 400),
            (.init(minAppendSize: 5), ["Upload-Complete": "?0"], "", 400),
            (.init(minAppendSize: 5), ["Upload-Complete": "?0"], "12345", 201),
            (.init(minAppendSize: 5), ["Upload-Complete": "?1"], "1234", 200),
        ]
        let server = try DraftResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        var accepted = 0
        for (limits, fields, body, status) in cases {
            server.update { $0.limits = limits }
            let answer = try client.ask("POST", "/", fields, body)
            #expect(answer.status == status, "\(fields) \(body)")
            if status < 300 { accepted += 1 } else { #expect(answer.headers["Upload-Limit"] != nil) }
        }
        #expect(server.uploads.count == accepted)
        server.update { $0.acceptsEmptyCreation = true }
        #expect(try client.ask("POST", "/", ["Upload-Complete": "?0"], "").status == 201)
    }

    @Test("Two lengths that differ are refused")
    func inconsistentLengths() throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let answer = try RawUploadClient(server.port).ask(
            "POST", "/", ["Upload-Complete": "?1", "Upload-Length": "4"], "12345")
        #expect(answer.status == 400)
        #expect(answer.headers["Content-Type"] == "application/problem+json")
        #expect(answer.body.contains("http-problem-types#inconsistent-upload-length"))
        #expect(server.uploads.isEmpty)
    }

    // MARK: An ordinary server

    @Test("A server that ignores the draft takes an empty creation for a report", arguments: [405, 200])
    func ordinary(optionsStatus: Int) throws {
        var rules = DraftRules()
        rules.speaksDraft = false
        rules.ordinaryOptionsStatus = optionsStatus
        rules.limits.maxSize = 1
        let server = try DraftResumableServer(rules)
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let options = try client.ask("OPTIONS", "/reports")
        #expect(options.status == optionsStatus)
        #expect(options.headers["Upload-Limit"] == nil)
        #expect(options.headers["Accept-Patch"] == nil)
        #expect(try client.ask("POST", "/reports", ["Upload-Complete": "?0"], "").status == 200)
        #expect(try client.ask("PUT", "/reports/1", [:], "whole").status == 200)
        #expect(try client.ask("PATCH", "/reports/1", ["Upload-Offset": "0"], "part").status == 405)
        #expect(try client.ask("GET", "/reports/1").status == 405)
        #expect(server.reports.map(\.byteCount) == [0, 5])
        #expect(server.reports.map { $0.headers["Upload-Complete"] } == ["?0", nil])
        #expect(server.reports.allSatisfy { $0.uploadPath == nil })
        #expect(server.requests.map(\.method) == ["OPTIONS", "POST", "PUT", "PATCH", "GET"])
        #expect(server.requests.map(\.bodyByteCount) == [0, 0, 5, 4, 0])
        #expect(server.requests.allSatisfy { $0.isComplete })
    }

    @Test("An ordinary report that breaks off never reaches the application")
    func brokenOrdinaryReport() async throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        try client.send("PUT", "/reports/1", [:], "half", declaring: 8)
        client.connection.close()
        #expect(await server.waitForAbandoned(count: 1) == ["connection ended"])
        #expect(server.reports.isEmpty)
        #expect(server.requests.map(\.bodyByteCount) == [4])
        #expect(server.requests.map(\.isComplete) == [false])
    }
}
