import Foundation
import TestSupport
import Testing

/// What Apple's server does on the wire, as far as a client has to live with it. A change in these facts with a new
/// version of swift-nio-extras is a change for our client.
@Suite(.timeLimit(.minutes(10)))
struct NIOServerTests {
    static let whole = "0123456789"

    // MARK: Ordinary requests and discovery

    @Test("A request without a version is an ordinary one, whatever its fields say")
    func ordinary() throws {
        let server = try NIOResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port, version: nil)
        let answer = try client.ask("PUT", "/reports/1", ["Upload-Complete": "?0", "Idempotency-Key": "k"], Self.whole)
        #expect(answer.status == 200)
        #expect(answer.headers["Location"] == nil)
        let report = try #require(server.reports(withKey: "k").first)
        #expect(report.method == "PUT")
        #expect(report.target == "/reports/1")
        #expect(report.body == Array(Self.whole.utf8))
        #expect(report.sha256 == sha256(Self.whole))
    }

    @Test("OPTIONS: 501 becomes 200, other statuses stay, and both come with Upload-Limit", arguments: [501, 405, 204])
    func discovery(status: Int) throws {
        var rules = NIOResumableServer.Rules()
        rules.optionsStatus = status
        let server = try NIOResumableServer(rules)
        defer { server.stop() }
        let client = try RawUploadClient(server.port, version: "6")
        let answer = try client.ask("OPTIONS", "/reports")
        #expect(answer.status == (status == 501 ? 200 : status))
        #expect(answer.headers["Upload-Limit"] == "min-size=0")
        #expect(answer.headers["Accept-Patch"] == nil)
        let plain = try RawUploadClient(server.port, version: nil).ask("OPTIONS", "/reports")
        #expect(plain.status == status)
        #expect(plain.headers["Upload-Limit"] == nil)
        #expect(server.reports.isEmpty)
    }

    @Test("Another version is refused, with the one it speaks", arguments: ["8", "7", "4", "x"])
    func unknownVersion(version: String) throws {
        let server = try NIOResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port, version: version)
        for (method, fields) in [("OPTIONS", [:]), ("POST", ["Upload-Complete": "?0"])] {
            let answer = try client.ask(method, "/reports", fields, "")
            #expect(answer.status == 400)
            #expect(answer.headers["Upload-Draft-Interop-Version"] == "6")
            #expect(answer.headers["Content-Length"] == "0")
        }
        #expect(server.reports.isEmpty)
    }

    // MARK: The way of an upload

    @Test("An empty creation is answered with 104 and 201, and HEAD tells an offset but no length")
    func carefulCreation() throws {
        let server = try NIOResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port, version: "6")
        let created = try client.ask("POST", "/reports", ["Upload-Complete": "?0", "Upload-Length": "10"], "")
        #expect(created.status == 201)
        #expect(created.headers["Location"]?.hasPrefix(server.url("/resumable_upload/")) == true)
        #expect(created.headers["Upload-Complete"] == "?0")
        #expect(created.headers["Upload-Offset"] == "0")
        #expect(created.headers["Upload-Limit"] == nil)
        #expect(created.interim.map(\.status) == [104])
        #expect(created.interim.map { $0.headers["Location"] } == [created.headers["Location"]])
        #expect(created.interim.map { $0.headers["Upload-Draft-Interop-Version"] } == ["6"])
        let head = try client.ask("HEAD", try #require(created.uploadPath))
        #expect(head.status == 204)
        #expect(head.headers["Upload-Offset"] == "0")
        #expect(head.headers["Upload-Complete"] == "?0")
        #expect(head.headers["Upload-Length"] == nil)
        #expect(head.headers["Cache-Control"] == "no-store")
        #expect(server.reports.isEmpty)
    }

    @Test("Parts are put together, and the application's answer comes with the last", arguments: [201, 500])
    func parts(status: Int) throws {
        var rules = NIOResumableServer.Rules()
        rules.application = { _ in ReportAnswer(status: status, headers: [("X-A", "b")], body: Array("verdict".utf8)) }
        let server = try NIOResumableServer(rules)
        defer { server.stop() }
        let client = try RawUploadClient(server.port, version: "6")
        let path = try client.create(["Upload-Complete": "?0", "Upload-Length": "10", "X-B": "c"])
        let part = try client.append("0123", to: path, at: 0, complete: "?0")
        #expect(part.status == 201)
        #expect(part.headers["Upload-Complete"] == "?0")
        #expect(part.headers["Upload-Offset"] == "4")
        // Without a Content-Length, so there is an empty body in chunks to be read.
        #expect(part.headers["Transfer-Encoding"] == "chunked")
        #expect(part.interim.isEmpty)
        let last = try client.append("456789", to: path, at: 4, complete: "?1")
        #expect(last.status == status)
        #expect(last.body == "verdict")
        #expect(last.headers["X-A"] == "b")
        // Version 6 should say Upload-Complete: ?1; this is the field of version 3.
        #expect(last.headers["Upload-Complete"] == nil)
        #expect(last.headers["Upload-Incomplete"] == "?0")
        let report = try #require(server.reports.first)
        #expect(report.sha256 == sha256(Self.whole))
        #expect(report.target == "/reports")
        #expect(report.headers["X-B"] == "c")
        #expect(report.headers["Upload-Complete"] == nil)
    }

    @Test("Versions 3 and 5 work too", arguments: ["3", "5"])
    func olderVersions(version: String) throws {
        let server = try NIOResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port, version: version)
        let (field, goesOn, ends) =
            version == "3" ? ("Upload-Incomplete", "?1", "?0") : ("Upload-Complete", "?0", "?1")
        let created = try client.ask("POST", "/reports", [field: goesOn], "")
        #expect(created.status == 201)
        #expect(created.headers[field] == goesOn)
        let path = try #require(created.uploadPath)
        #expect(try client.ask("PATCH", path, ["Upload-Offset": "0", field: goesOn], "01234").status == 201)
        #expect(try client.ask("HEAD", path).headers["Upload-Offset"] == "5")
        #expect(try client.ask("PATCH", path, ["Upload-Offset": "5", field: ends], "56789").status == 200)
        #expect(server.reports.map(\.sha256) == [sha256(Self.whole)])
    }

    @Test("A creation with all of the content is a whole report, with a 104 before the answer")
    func wholeCreation() throws {
        let server = try NIOResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port, version: "6")
        let answer = try client.ask("POST", "/reports", ["Upload-Complete": "?1"], Self.whole)
        #expect(answer.status == 200)
        #expect(answer.interim.map(\.status) == [104])
        #expect(answer.headers["Location"] == answer.interim.first?.headers["Location"])
        #expect(server.reports.map(\.sha256) == [sha256(Self.whole)])
        let wrong = try client.ask("POST", "/reports", ["Upload-Complete": "?1", "Upload-Length": "11"], Self.whole)
        #expect(wrong.status == 409)
        #expect(server.reports.count == 1)
    }

    @Test("A PATCH of another type, or with parameters, is refused and leaves the upload", arguments: [nil, "; x=y"])
    func wrongType(parameters: String?) throws {
        let server = try NIOResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port, version: "6")
        let path = try client.create()
        let type = parameters.map { "application/partial-upload" + $0 } ?? "application/octet-stream"
        let answer = try client.append("0123", to: path, at: 0, complete: "?0", ["Content-Type": type])
        #expect(answer.status == 400)
        #expect(try client.ask("HEAD", path).headers["Upload-Offset"] == "0")
    }

    @Test("A PATCH that does not say whether it is the last is the last")
    func missingCompleteness() throws {
        let server = try NIOResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port, version: "6")
        let path = try client.create()
        let fields = ["Content-Type": "application/partial-upload", "Upload-Offset": "0"]
        #expect(try client.ask("PATCH", path, fields, "0123").status == 200)
        #expect(server.reports.map(\.byteCount) == [4])
    }

    @Test("DELETE forgets an upload; the application sees it end")
    func cancellation() async throws {
        let server = try NIOResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port, version: "6")
        let path = try client.create()
        #expect(try client.ask("DELETE", path).status == 204)
        #expect(try client.ask("HEAD", path).status == 404)
        #expect(await server.waitForAbandoned(count: 1) == ["uploadCancelled"])
        #expect(server.reports.isEmpty)
    }

    @Test("A large report is hashed, not kept")
    func largeReport() throws {
        var rules = NIOResumableServer.Rules()
        rules.keepsBodies = false
        let server = try NIOResumableServer(rules)
        defer { server.stop() }
        let client = try RawUploadClient(server.port, version: "6")
        let path = try client.create()
        let part = String(repeating: "abcdefgh", count: 1 << 20)
        #expect(try client.append(part, to: path, at: 0, complete: "?0").status == 201)
        #expect(try client.append(part, to: path, at: part.utf8.count, complete: "?1").status == 200)
        #expect(server.reports.map(\.byteCount) == [2 * part.utf8.count])
        #expect(server.reports.map(\.sha256) == [sha256(part + part)])
        #expect(server.reports.map(\.body) == [[]])
    }
}
