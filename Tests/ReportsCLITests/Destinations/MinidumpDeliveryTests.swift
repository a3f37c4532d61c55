import Diagnosis
import Digests
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// Minidumps on their way to a collector with the rules of Antenna, and what becomes of all else.
@Suite("Minidumps, from file to collector", .timeLimit(.minutes(5)), .needs(.breakpad))
struct MinidumpDeliveryTests {
    @Test("each arrives byte for byte with its fields, and nothing else is sent")
    func corpus() async throws {
        try await withTool(judge: .breakpad) { tool, server in
            var dumps = [try CorpusFile.bytes(of: "test.dmp")]
            for signal in ["6", "11"] {
                // More than fits into one piece of a body.
                dumps.append(
                    try await JudgeServer.makeMinidump(
                        tool.home + "/made.dmp", "--signal", signal, "--padding", signal + "0000"))
                try tool.drop(dumps[dumps.count - 1], as: "crash-\(signal).dmp")
            }
            for file in CorpusFile.all { try tool.drop(file.bytes, as: file.name) }
            let endpoint = LocalEndpoint.minidump(server.peer.port, query: "?product=shopd")
            let result = try await tool.run("submit", "--json", "--endpoint", endpoint)
            let summary = try #require(try result.objects.first, "\(result.errors)")
            #expect(summary.count("delivered") == 3 && summary.count("held") == 24, "\(summary)")

            let received = try server.received()
            #expect(received.count == 3)
            for line in received { try expectForm(of: line) }
            #expect(Set(received.map(\.dumpHash)) == Set(dumps.map { ContentHash.of($0).hex }))
            #expect(received.allSatisfy { $0["fields"]?["report_id"]?.stringValue == $0.dumpHash })
            try await expectTold(tool)
        }
    }

    /// What Antenna wants of a request.
    private func expectForm(of line: JSONValue) throws {
        #expect(line.count("status") == 200 && line["path"] == "/submit?product=shopd", "\(line)")
        let headers = try #require(line["headers"])
        #expect(headers["content-length"]?.stringValue == line.count("size").map(String.init), "\(headers)")
        #expect(headers["transfer-encoding"] == nil, "\(headers)")
        let files = try #require(line["files"]?.arrayValue)
        #expect(files.map { $0["name"] } == ["upload_file_minidump"], "\(files)")
        #expect(files.first?["minidump"]?["is_whole"] == true, "\(files)")
    }

    /// All other reports are held, and a person is told why.
    private func expectTold(_ tool: ReportsTool) async throws {
        let why = "the destination main takes minidumps only"
        let held = try await tool.objects("list", "--state", "held")
        #expect(held.count == 24)
        for report in held {
            #expect(report["reason"] == "route" && report["note"]?.stringValue == why, "\(report)")
            let shown = try await tool.run("show", try #require(report["id"]?.stringValue)).output
            #expect(shown.contains("\nstate:      held, route\nnote:       \(why)\n"), "\(shown)")
            let next =
                "\nnext:       send it elsewhere by a route, or change the endpoint; "
                + "the next submit asks again\n"
            #expect(shown.contains(next), "\(shown)")
        }
        let list = try await tool.run("list", "--state", "held").output
        #expect(list.split(separator: "\n").filter { $0.hasSuffix("[route: \(why)]") }.count == 24, "\(list)")
        let status = try await tool.run("status").output
        #expect(status.contains("held:  24") && status.contains(", 24 not taken by their destinations\n"), "\(status)")
    }

    @Test("names and values of annotations arrive as they are, whatever stands in them")
    func annotations() async throws {
        try await withTool(judge: .breakpad) { tool, server in
            let path = tool.home + "/crash.dmp"
            let dump = try await JudgeServer.makeMinidump(path)
            let annotations = [
                "service": "Köln shop", "version": "2.1.0", "quoted": "\"a\"; name=\"b\"", "lines": "one\r\ntwo\n--x--",
                "town": "Zürich",
            ]
            let options = annotations.flatMap { ["--annotate", "\($0.key)=\($0.value)"] }
            #expect(try await tool.run(["add", path] + options).status == 0)
            let result = try await tool.run("submit", "--endpoint", LocalEndpoint.minidump(server.peer.port))
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            let line = try #require(try server.received().first)
            for (name, value) in annotations where name != "service" {
                #expect(line["fields"]?[name]?.stringValue == value, "\(name): \(line)")
            }
            #expect(line["fields"]?["prod"] == "Köln shop" && line["fields"]?["ver"] == "2.1.0", "\(line)")
            #expect(line.dumpHash == ContentHash.of(dump).hex)
            let receipt = try #require(try await tool.show(ContentHash.of(dump).hex)["receipt"])
            let answer = line["answer"]?.stringValue ?? "?"
            #expect(answer == "CrashID=" + (receipt["crash_id"]?.stringValue ?? ""), "\(receipt) \(line)")
            let shown = try await tool.run("show", ContentHash.of(dump).hex).output
            #expect(shown.contains("\nreceipt:    200  crash \(receipt["crash_id"]?.stringValue ?? "")\n"), "\(shown)")
        }
    }

    @Test("a refusal with status 200 is one, in its own words, and the report is kept")
    func refusal() async throws {
        try await withTool(judge: .breakpad, "--refuse", "shopd") { tool, server in
            let bytes = try await JudgeServer.makeMinidump(tool.home + "/crash.dmp")
            let added = try await tool.run("add", tool.home + "/crash.dmp", "--json", "--annotate", "product=shopd")
            let id = try #require(try added.objects.first?["id"]?.stringValue)
            let endpoint = ["--endpoint", LocalEndpoint.minidump(server.peer.port)]
            let words = try await tool.words(ofReport: id, submitting: endpoint)
            words.expect("rejected", "discarded it: rule_unsupported_product", in: [\.status], exit: 65)
            #expect(try await tool.run("cat", id).stdout == bytes)
        }
    }

    @Test("a rule that discards many dumps keeps none of another program back")
    func manyRefusals() async throws {
        try await withTool(judge: .breakpad, "--refuse", "shopd") { tool, server in
            for number in 0..<7 {
                _ = try await JudgeServer.makeMinidump(tool.home + "/crash.dmp", "--signal", "\(number + 4)")
                _ = try await tool.run("add", tool.home + "/crash.dmp", "--annotate", "product=shopd")
            }
            _ = try await JudgeServer.makeMinidump(tool.home + "/crash.dmp", "--signal", "31")
            _ = try await tool.run("add", tool.home + "/crash.dmp", "--annotate", "product=tilld")
            let endpoint = ["--endpoint", LocalEndpoint.minidump(server.peer.port)]
            let result = try await tool.run(["submit", "--json"] + endpoint)
            let counts = try #require(try result.objects.first)
            #expect(
                (counts.count("rejected"), counts.count("held"), counts.count("delivered")) == (7, 0, 1), "\(counts)")
        }
    }

    @Test("an answer that is lost costs a minute's rest and makes a second report, which names the first")
    func lostAnswer() async throws {
        try await withTool(judge: .breakpad) { tool, server in
            let script = ServerScript.forwarding(to: server.peer.port) { $0.index == 0 ? .lost : .passed }
            let front = try LoopbackServer(script)
            defer { front.stop() }
            let bytes = try await JudgeServer.makeMinidump(tool.home + "/crash.dmp")
            let added = try await tool.run("add", tool.home + "/crash.dmp", "--json")
            let id = try #require(try added.objects.first?["id"]?.stringValue)
            let endpoint = ["--endpoint", LocalEndpoint.minidump(front.port)]
            let words = try await tool.words(ofReport: id, submitting: endpoint)
            words.expect("waiting(unanswered)", "Connection reset by peer", in: [\.show, \.status])
            words.expect("waiting(unanswered)", "the server may have it already", in: [\.show])
            // Not at once: the collector may still be storing the first.
            _ = try await tool.run(["submit"] + endpoint)
            #expect(try server.received().count == 1)
            try tool.letPass(hours: 1)
            #expect(try await tool.run(["submit"] + endpoint).status == 0)
            let received = try server.received()
            #expect(received.map(\.dumpHash) == [ContentHash.of(bytes).hex, ContentHash.of(bytes).hex])
            #expect(Set(received.map { $0["fields"]?["guid"] }).count == 1)
            #expect(Set(received.map { $0["fields"]?["report_id"] }) == [.string(id)])
        }
    }

    @Test("a collector that goes and comes back gets what is left, once")
    func restart() async throws {
        try await withTool(judge: .breakpad) { tool, server in
            let endpoint = LocalEndpoint.minidump(server.peer.port)
            for signal in ["4", "6"] { try await dropDump(tool, signal) }
            #expect(try await tool.run("submit", "--endpoint", endpoint).status == 0)
            await server.peer.end()
            for signal in ["6", "7", "11"] { try await dropDump(tool, signal) }
            let result = try await tool.run("submit", "--endpoint", endpoint)
            #expect(result.status == 75, "\(result.output)\(result.errors)")
            let text = "connection failed: Connection refused"
            #expect(try await tool.run("status").output.contains(text))
            try await server.peer.startAgain()
            let again = try await tool.run("submit", "--endpoint", endpoint)
            #expect(again.status == 0, "\(again.output)\(again.errors)")
            let received = try server.received()
            #expect(received.count == 4 && Set(received.map(\.dumpHash)).count == 4)
        }
    }

    private func dropDump(_ tool: ReportsTool, _ signal: String) async throws {
        let bytes = try await JudgeServer.makeMinidump(tool.home + "/made.dmp", "--signal", signal)
        try tool.drop(bytes, as: "crash-\(signal).dmp")
    }
}

extension JSONValue {
    /// The SHA-256 of the one dump that a collector has received, in hex.
    var dumpHash: String { self["files"]?[0]?["sha256"]?.stringValue ?? "" }
}
