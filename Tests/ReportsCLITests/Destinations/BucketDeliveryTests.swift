import Diagnosis
import Digests
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// Real payloads on their way into buckets of servers that others wrote.
@Suite("Real payloads, from file to bucket", .timeLimit(.minutes(5)))
struct BucketDeliveryTests {
    @Test("each is an object of OpenStack Swift, which checks all of the signature", .needs(.openStackSwift))
    func openStackSwift() async throws {
        try await withTool(judge: .openStackSwift) { try await expectAll($0, $1) }
    }

    @Test("each is an object of moto, which checks the key", .needs(.moto))
    func moto() async throws {
        try await withTool(judge: .moto, "--check-keys") { try await expectAll($0, $1) }
    }

    @Test("each is an object of rclone, which overwrites", .needs(.rclone))
    func rclone() async throws {
        // Two first objects of a directory at a time, and rclone answers one of them with 500: it moves the object into a
        // directory that it takes for missing (13 of 4,800 from another client).
        try await withTool(judge: .rclone) { try await expectAll($0, $1, "--max-concurrent", "1") }
    }

    /// Delivers the corpus, and looks at all objects; then once more, as after a lost ledger.
    private func expectAll(_ tool: ReportsTool, _ server: JudgeServer, _ options: String...) async throws {
        let files = CorpusFile.all
        #expect(files.count == 25)
        for file in files { try tool.drop(file.bytes, as: file.name) }
        let submit = ["submit", "--json", "--endpoint", server.endpoint("crashes")] + options
        let result = try await tool.run(submit)
        #expect(result.status == 0, "\(result.output)\(result.errors)")
        #expect(try result.objects.first?.count("delivered") == 25)

        let objects = try await server.objects(in: "crashes")
        #expect(objects.count == 25)
        let reports = try await tool.objects("list")
        for file in files {
            let id = ContentHash.of(file.bytes).hex
            let report = try #require(reports.first { $0["id"]?.stringValue == id }, "\(file.name)")
            let object = try #require(objects.first { $0.key == Self.usualKey(of: report) }, "\(file.name)")
            #expect(try await object.payload() == file.bytes, "\(file.name)")
            #expect(object.contentType == "application/gzip" && object.contentEncoding == nil)
            expectMetadata(of: object, report)
            #expect(!object.key.contains(file.name) && !object.metadata.values.contains(file.name), "\(file.name)")
        }

        try FileManager.default.removeItem(atPath: tool.spool)
        for file in files { try tool.drop(file.bytes, as: file.name) }
        let again = try await tool.run(submit)
        #expect(again.status == 0, "\(again.output)\(again.errors)")
        #expect(try again.objects.first?.count("delivered") == 25)
        #expect(try await server.objects(in: "crashes").map(\.bytes) == objects.map(\.bytes))
    }

    /// `KIND/YYYY/MM/DD/ID.gz`, of the time at which the report was collected.
    private static func usualKey(of report: JSONValue) -> String {
        let text = { (name: String) in report[name]?.stringValue ?? "" }
        let day = text("collected_at").prefix(10).replacing("-", with: "/")
        return "\(text("kind"))/\(day)/\(text("id")).gz"
    }

    private func expectMetadata(of object: StoredObject, _ report: JSONValue) {
        for (name, member) in [("id", "id"), ("kind", "kind"), ("format", "format"), ("collected-at", "collected_at")] {
            #expect(object.metadata["report-" + name] == report[member]?.stringValue, "\(object.key)")
        }
    }

    @Test("the key is as the template says, annotations are metadata, and gzip may be an encoding", .needs(.moto))
    func templateAndAnnotations() async throws {
        try await withTool(judge: .moto, "--check-keys") { tool, server in
            let id = try await tool.add(
                "hello", "--kind", "hang", "--annotate", "service=Köln shop", "--annotate", "Town=a  b")
            let endpoint = server.endpoint("crashes", template: "a%20b/{annotation:service}/{format}-{id}")
            let result = try await tool.run("submit", "--endpoint", endpoint, "--encoding", "gzip")
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            let objects = try await server.objects(in: "crashes")
            let object = try #require(objects.first)
            #expect(objects.map(\.key) == ["a b/K_ln_shop/text-\(id)"])
            #expect(object.contentType == "text/plain; charset=utf-8" && object.contentEncoding == "gzip")
            #expect(try await object.payload() == Array("hello".utf8))
            #expect(object.metadata["service"] == "K%C3%B6ln shop" && object.metadata["town"] == "a b")
            let receipt = try #require(try await tool.show(id)["receipt"])
            #expect(receipt["key"]?.stringValue == object.key && receipt["etag"] != nil, "\(receipt)")
            let shown = try await tool.run("show", id).output
            #expect(shown.contains("\nreceipt:    200  s3://crashes/\(object.key)\n"), "\(shown)")
        }
    }

    @Test("keys of a virtual machine come from its metadata service", .needs(.moto))
    func instance() async throws {
        try await withTool(judge: .moto) { tool, server in
            var tool = tool.with(["AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url()])
            for name in ReportsTool.judgeKey.keys { tool.environment[name] = nil }
            let id = try await tool.add("hello")
            let endpoint = server.endpoint("crashes") + "&credentials=instance"
            let result = try await tool.run("submit", "--endpoint", endpoint)
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            #expect(try await server.objects(in: "crashes").map { $0.metadata["report-id"] } == [id])
        }
    }

    @Test("an answer that is lost costs a second request, and makes no second object", .needs(.moto), .needs(.rclone))
    func lostAnswers() async throws {
        for judge in [Judge.moto, .rclone] {
            try await withTool(judge: judge) { tool, server in
                // Of each report the first answer is lost.
                let seen = Monitor(Set<String>())
                let script = ServerScript.forwarding(to: server.peer.port) { request in
                    seen.withLock { $0.insert(request.target).inserted } ? .lost : .passed
                }
                let front = try LoopbackServer(script)
                defer { front.stop() }
                var ids: Set<String> = []
                for number in 1...3 { ids.insert(try await tool.add("report \(number)")) }
                let endpoint = "s3://crashes?endpoint=\(front.url())"
                let result = try await tool.run("submit", "--json", "--endpoint", endpoint, "--wait", "60")
                #expect(result.status == 0, "\(judge): \(result.output)\(result.errors)")
                let objects = try await server.objects(in: "crashes")
                #expect(objects.count == 3 && front.requests.count >= 4, "\(judge)")
                for object in objects { #expect(ids.contains(ContentHash.of(try await object.payload()).hex)) }
            }
        }
    }
}
