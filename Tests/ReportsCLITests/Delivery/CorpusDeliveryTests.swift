import Digests
import DurableIO
import Reports
import TestSupport
import Testing

@Suite("Real payloads, from file to server")
struct CorpusDeliveryTests {
    enum Way: CaseIterable {
        case drop
        case add
    }

    @Test("each arrives once, byte for byte, with the headers of the contract", arguments: Way.allCases)
    func eachArrivesOnceByteForByte(_ way: Way) async throws {
        try await withTool(server: .accepting) { tool, server in
            let files = CorpusFile.all
            #expect(files.count == 25)
            try await bring(files, by: way, to: tool)
            let summary = try await tool.summary(to: server)
            #expect(summary.count("delivered") == 25)
            #expect(server.protocolErrors.isEmpty)

            let requests = server.requests
            #expect(requests.count == 25)
            for file in files {
                let id = ContentHash.of(file.bytes).hex
                let request = try #require(requests.first { $0.target == "/" + id }, "\(file.name)")
                try await Deliveries.check(request, holds: file.bytes)
                #expect(request.headers["Content-Type"] == file.contentType, "\(file.name)")
                // "core" is a part of its content type.
                for field in request.headers.all where file.name != "core" {
                    #expect(!field.value.contains(file.name), "\(field.name) tells the file's name")
                }
                #expect(!contains(request.body, file.name))
            }
            #expect(try await tool.run("submit", "--endpoint", server.url("/{id}")).status == 0)
            #expect(server.requests.count == 25)
            #expect(tool.names(in: "queued").isEmpty && tool.names(in: "incoming").isEmpty)
        }
    }

    private func bring(_ files: [CorpusFile], by way: Way, to tool: ReportsTool) async throws {
        switch way {
        case .drop:
            for file in files { try tool.drop(file.bytes, as: file.name) }
        case .add:
            var paths: [String] = []
            for file in files { paths.append(try tool.file(file.name, bytes: file.bytes)) }
            let result = try await tool.run(["add", "--json"] + paths)
            #expect(result.status == 0, "\(result.errors)")
            let ids = try result.objects.map { $0["id"]?.stringValue ?? "" }
            #expect(ids == files.map { ContentHash.of($0.bytes).hex })
        }
    }

    private func contains(_ bytes: [UInt8], _ text: String) -> Bool {
        String(decoding: bytes, as: UTF8.self).contains(text)
    }

    @Test("the same bytes under another name are counted, not sent: waiting, delivered, in another process")
    func sameBytesUnderAnotherNameAreCounted() async throws {
        try await withTool(server: .accepting) { tool, server in
            let file = try #require(CorpusFile.all.first { $0.name == "shopd-2740-0.0.json" })
            try tool.drop(file.bytes, as: "one.json")
            try tool.drop(file.bytes, as: "two.json")
            let first = try await tool.summary(to: server)
            #expect(first.count("delivered") == 1)
            #expect(first.count("duplicates") == 1)

            try tool.drop(file.bytes, as: "three.json")
            let second = try await tool.summary(to: server)
            #expect(second.count("delivered") == 0)
            #expect(second.count("duplicates") == 1)
            #expect(server.requests.count == 1)

            let added = try await tool.run("add", try tool.file("four.json", bytes: file.bytes), "--json")
            #expect(try added.objects.first?["duplicate"]?.boolValue == true)
            _ = try await tool.summary(to: server)
            #expect(server.requests.count == 1)
            let report = try await tool.show(ContentHash.of(file.bytes).hex)
            #expect(report.count("occurrences") == 4)
            #expect(report["state"]?.stringValue == "delivered")
            #expect(try await tool.objects("list").count == 1)
        }
    }

    @Test("what was added but not yet taken in is known, too")
    func whatWasAddedButNotYetTakenInIsKnown() async throws {
        try await withTool { tool in
            let path = try tool.file("a.log", "the same")
            let first = try await tool.run("add", path, "--json").objects.first
            let second = try await tool.run("add", path, "--json").objects.first
            #expect(first?["duplicate"]?.boolValue == false)
            #expect(second?["duplicate"]?.boolValue == true)
            let listed = try await tool.objects("list")
            #expect(listed.count == 1)
            #expect(listed.first?.count("occurrences") == 2)
        }
    }

    @Test("of two crash reports, the second renamed over the name of the first, both arrive")
    func secondRenamedOverTheFirstBothArrive() async throws {
        let gate = Gate()
        let script = ServerScript { $0.index == 0 ? .delay(until: gate, then: .response(201)) : .response(201) }
        try await withTool(server: script) { tool, server in
            try tool.drop("crash one", as: "crash.log")
            let submit = try tool.start("submit", "--endpoint", server.url("/{id}"))
            await server.waitForRequests(count: 1)
            // The first is on its way; its name is free again.
            try tool.drop("crash two", as: "crash.log")
            gate.open()
            #expect(await submit.end().status == 0)
            _ = try await tool.submit(to: server)
            #expect(Set(try await Deliveries.texts(server)) == ["crash one", "crash two"])
            #expect(server.requests.count == 2)
        }
    }

    @Test("annotations and kind travel as headers, the name stays at home")
    func annotationsAndKindTravelAsHeaders() async throws {
        try await withTool(server: .accepting) { tool, server in
            let path = try tool.file("secret-name.txt", "something")
            let result = try await tool.run(
                "add", path, "--kind", "hang", "--annotate", "version=2.1", "--annotate", "town=Köln")
            #expect(result.status == 0, "\(result.errors)")
            _ = try await tool.submit(to: server)
            let request = try #require(server.requests.first)
            try await Deliveries.check(request, holds: Array("something".utf8))
            #expect(request.headers["Report-Kind"] == "hang")
            #expect(request.headers["Report-Annotations"] == "town=%\"K%c3%b6ln\", version=\"2.1\"")
        }
    }
}
