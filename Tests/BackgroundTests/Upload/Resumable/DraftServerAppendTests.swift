import TestSupport
import Testing

/// How uploads are asked for, continued, completed and cancelled (draft-12, sections 4.3 to 4.6).
@Suite(.timeLimit(.minutes(10)))
struct DraftServerAppendTests {
    static let creation = ["Upload-Complete": "?0", "Upload-Length": "10"]

    // MARK: HEAD and DELETE

    @Test("HEAD tells offset, completeness, length and the limits that are left, and is not to be cached")
    func retrieval() throws {
        var rules = DraftRules()
        rules.limits.maxAge = 60
        let server = try DraftResumableServer(rules)
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let path = try client.create(Self.creation)
        #expect(try client.append("abcd", to: path, at: 0, complete: "?0").status == 204)
        server.advance(seconds: 20)
        let answer = try client.ask("HEAD", path)
        #expect(answer.status == 204)
        #expect(answer.headers["Upload-Offset"] == "4")
        #expect(answer.headers["Upload-Complete"] == "?0")
        #expect(answer.headers["Upload-Length"] == "10")
        #expect(answer.headers["Upload-Limit"] == "max-age=40")
        #expect(answer.headers["Cache-Control"] == "no-store")
        server.advance(seconds: 40)
        #expect(try client.ask("HEAD", path).status == 410)
        #expect(try client.ask("HEAD", path + "x").status == 404)
    }

    @Test("HEAD tells no length that it was not told")
    func retrievalWithoutLength() throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let path = try client.create()
        #expect(try client.ask("HEAD", path).headers["Upload-Length"] == nil)
        #expect(try client.append("abc", to: path, at: 0, complete: "?0", ["Upload-Length": "9"]).status == 204)
        #expect(try client.ask("HEAD", path).headers["Upload-Length"] == "9")
    }

    @Test("A cancelled upload is gone and never reaches the application")
    func cancellation() throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let path = try client.create()
        #expect(try client.ask("DELETE", path).status == 204)
        for method in ["HEAD", "DELETE"] { #expect(try client.ask(method, path).status == 410) }
        #expect(try client.append("a", to: path, at: 0, complete: "?1").status == 410)
        #expect(server.reports.isEmpty)
    }

    // MARK: PATCH

    @Test("Parts are put together, and the application's answer comes with the last", arguments: [201, 422, 500])
    func parts(status: Int) throws {
        var rules = DraftRules()
        rules.application = { _ in ReportAnswer(status: status, body: Array("verdict".utf8)) }
        let server = try DraftResumableServer(rules)
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let path = try client.create(Self.creation.merging(["Idempotency-Key": "k"]) { old, _ in old })
        for (part, offset) in [("0123", 0), ("4567", 4)] {
            let answer = try client.append(part, to: path, at: offset, complete: "?0")
            #expect(answer.status == 204)
            #expect(answer.headers["Upload-Complete"] == "?0")
            #expect(answer.headers["Upload-Offset"] == "\(offset + 4)")
        }
        #expect(server.reports.isEmpty)
        let last = try client.append("89", to: path, at: 8, complete: "?1")
        #expect(last.status == status)
        #expect(last.headers["Upload-Complete"] == "?1")
        #expect(last.body == "verdict")
        #expect(server.reports(withKey: "k").map(\.body) == [Array("0123456789".utf8)])
        let head = try client.ask("HEAD", path)
        #expect(head.headers["Upload-Complete"] == "?1")
        #expect(head.headers["Upload-Offset"] == "10")
    }

    @Test("An empty part completes; offsets need not be acknowledged; a completed upload may be gone")
    func emptyLastPart() throws {
        var rules = DraftRules()
        rules.acknowledgesOffset = false
        rules.keepsCompletedUploads = false
        let server = try DraftResumableServer(rules)
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let path = try client.create()
        #expect(try client.append("abc", to: path, at: 0, complete: "?0").headers["Upload-Offset"] == nil)
        #expect(try client.append("", to: path, at: 3, complete: "?1").headers["Upload-Complete"] == "?1")
        #expect(server.reports.map(\.sha256) == [sha256("abc")])
        #expect(try client.ask("HEAD", path).status == 404)
    }

    @Test("A wrong offset is refused with the right one, and changes nothing", arguments: [0, 3, 5, 10])
    func mismatchingOffset(offset: Int) throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let path = try client.create(Self.creation)
        _ = try client.append("0123", to: path, at: 0, complete: "?0")
        let answer = try client.append("x", to: path, at: offset, complete: "?0")
        #expect(answer.status == 409)
        #expect(answer.headers["Upload-Offset"] == "4")
        #expect(answer.headers["Upload-Complete"] == "?0")
        #expect(answer.headers["Content-Type"] == "application/problem+json")
        #expect(answer.body.contains("http-problem-types#mismatching-upload-offset"))
        #expect(answer.body.contains(#""expected-offset":4,"provided-offset":\#(offset)"#))
        #expect(try client.append("456789", to: path, at: 4, complete: "?1").status == 200)
        #expect(server.reports.map(\.sha256) == [sha256("0123456789")])
    }

    @Test("A PATCH that is not a part of an upload is refused")
    func malformedParts() throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let path = try client.create()
        let type = ["Content-Type": "application/partial-upload"]
        let cases = [
            (["Upload-Offset": "0", "Upload-Complete": "?0"], 415),
            (["Content-Type": "text/plain", "Upload-Offset": "0", "Upload-Complete": "?0"], 415),
            (type.merging(["Upload-Offset": "0"]) { old, _ in old }, 400),
            (type.merging(["Upload-Offset": "0", "Upload-Complete": "1"]) { old, _ in old }, 400),
            (type.merging(["Upload-Offset": "-1", "Upload-Complete": "?0"]) { old, _ in old }, 400),
            (type.merging(["Upload-Complete": "?0"]) { old, _ in old }, 400),
        ]
        for (fields, status) in cases {
            #expect(try client.ask("PATCH", path, fields, "a").status == status, "\(fields)")
        }
        #expect(server.uploads.map(\.offset) == [0])
        let parameters = ["Content-Type": "Application/Partial-Upload; x=y"]
        #expect(try client.append("a", to: path, at: 0, complete: "?0", parameters).status == 204)
    }

    @Test("A completed upload takes nothing more")
    func completed() throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let path = try client.create()
        _ = try client.append("abc", to: path, at: 0, complete: "?1")
        let more = try client.append("d", to: path, at: 3, complete: "?1")
        #expect(more.status == 400)
        #expect(more.body.contains("#inconsistent-upload-length"))
        let nothing = try client.append("", to: path, at: 3, complete: "?1")
        #expect(nothing.status == 400)
        #expect(nothing.body.contains("#completed-upload"))
        #expect(nothing.headers["Upload-Complete"] == nil)
        #expect(server.reports.count == 1)
    }

    @Test("A length that contradicts the first is refused; content beyond it makes the upload invalid")
    func lengths() throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let path = try client.create(Self.creation)
        #expect(try client.append("abc", to: path, at: 0, complete: "?1").status == 400)
        #expect(try client.append("abc", to: path, at: 0, complete: "?0", ["Upload-Length": "9"]).status == 400)
        #expect(server.uploads.map(\.offset) == [0])
        let beyond = try client.append("0123456789x", to: path, at: 0, complete: "?0")
        #expect(beyond.status == 400)
        #expect(beyond.body.contains("#inconsistent-upload-length"))
        #expect(try RawUploadClient(server.port).ask("HEAD", path).status == 410)
        #expect(server.reports.isEmpty)
    }

    @Test("A part beyond a limit is refused with the limits, and a smaller one is taken")
    func limits() throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let path = try client.create()
        server.update { $0.limits = .init(maxAppendSize: 4, minAppendSize: 2) }
        let large = try client.append("01234", to: path, at: 0, complete: "?0")
        #expect(large.status == 413)
        #expect(large.headers["Upload-Limit"] == "max-append-size=4, min-append-size=2")
        #expect(large.headers["Upload-Complete"] == "?0")
        #expect(large.headers["Upload-Offset"] == "0")
        #expect(try client.append("0", to: path, at: 0, complete: "?0").status == 400)
        #expect(try client.append("0123", to: path, at: 0, complete: "?0").status == 204)
        server.update { $0.limits = .init(maxSize: 5, minAppendSize: 2) }
        #expect(try client.append("45", to: path, at: 4, complete: "?1").status == 413)
        #expect(try client.append("4", to: path, at: 4, complete: "?1").status == 200)
        #expect(server.reports.map(\.byteCount) == [5])
    }

    @Test("In chunks, limits and lengths are seen only when the content passes them")
    func chunks() throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        server.update { $0.limits.maxAppendSize = 4 }
        let client = try RawUploadClient(server.port)
        let path = try client.create(Self.creation)
        let fields = [
            "Content-Type": "application/partial-upload", "Upload-Complete": "?0", "Upload-Offset": "0",
            "Transfer-Encoding": "chunked",
        ]
        try client.send("PATCH", path, fields)
        try client.connection.send("3\r\nabc\r\n")
        try client.connection.send("2\r\nde\r\n")
        #expect(try client.receive().status == 413)
        let other = try RawUploadClient(server.port)
        #expect(try other.ask("HEAD", path).headers["Upload-Offset"] == "3")
        try other.send("PATCH", path, fields.merging(["Upload-Offset": "3", "Upload-Complete": "?1"]) { $1 })
        try other.connection.send("2\r\nde\r\n0\r\n\r\n")
        // Not the ten bytes that were promised.
        #expect(try other.receive().status == 400)
        #expect(try other.ask("HEAD", path).headers["Upload-Offset"] == "5")
        #expect(server.reports.isEmpty)
    }

    // MARK: Digests

    @Test("Content that does not match its digest is not appended")
    func contentDigest() throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let path = try client.create()
        let right = ["Content-Digest": "sha-512=:AA==:, " + digestField("abc")]
        #expect(try client.append("abc", to: path, at: 0, complete: "?0", right).status == 204)
        let wrong = try client.append("abd", to: path, at: 3, complete: "?1", right)
        #expect(wrong.status == 400)
        #expect(wrong.headers["Upload-Offset"] == "3")
        #expect(wrong.headers["Upload-Complete"] == "?0")
        #expect(try client.append("def", to: path, at: 3, complete: "?1").status == 200)
        #expect(server.reports.map(\.body) == [Array("abcdef".utf8)])
    }

    @Test("A report that does not match its digest never reaches the application", arguments: [true, false])
    func representationDigest(keepsBodies: Bool) throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        server.update { $0.keepsBodies = keepsBodies }
        let client = try RawUploadClient(server.port)
        for (text, status) in [("abcdef", 200), ("abcdeF", 400)] {
            let path = try client.create(["Upload-Complete": "?0", "Repr-Digest": digestField("abcdef")])
            _ = try client.append("abc", to: path, at: 0, complete: "?0")
            let answer = try client.append(String(text.suffix(3)), to: path, at: 3, complete: "?1")
            #expect(answer.status == status)
            #expect(answer.headers["Upload-Complete"] == (status == 200 ? "?1" : nil))
            #expect(try client.ask("HEAD", path).status == (status == 200 ? 204 : 410))
        }
        #expect(server.reports.map(\.sha256) == [sha256("abcdef")])
        #expect(server.reports.map(\.body.count) == [keepsBodies ? 6 : 0])
    }
}
