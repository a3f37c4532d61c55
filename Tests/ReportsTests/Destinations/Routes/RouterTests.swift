import Background
import Digests
import DurableIO
import TestSupport
import Testing

@testable import Reports

/// The first route that matches a report decides where it goes.
@Suite("Routes")
struct RouterTests {
    private static func router(_ routes: [Reports.Route]) throws -> Router {
        let destinations = ["crashes", "archive", "dumps"].map {
            NamedDestination($0, .http("https://\($0).example/{id}"))
        }
        return try Router(Routing(destinations, routes: routes))
    }

    private static func outline(
        _ kind: ReportKind = .crash, format: String = "text", annotations: [String: String] = [:]
    ) -> ReportOutline {
        let properties = ReportProperties(
            kind: kind, from: .given, format: format, contentType: "text/plain", name: nil, collectedAt: 0,
            annotations: annotations, summary: "")
        return ReportOutline(
            StoredReport(
                id: ContentHash(of: []), properties: properties, size: 0, wireSize: 20,
                wireHash: ContentHash(of: []), headerByteCount: 10))
    }

    @Test("a report that no route matches goes to the first destination")
    func first() throws {
        #expect(try Self.router([]).decision(for: Self.outline()) == .send(Lane("crashes")))
        let router = try Self.router([.to("dumps", formats: ["minidump"])])
        #expect(router.decision(for: Self.outline()) == .send(Lane("crashes")))
    }

    @Test("all conditions of a route have to match, and any one within a list")
    func conditions() throws {
        let router = try Self.router([
            .to("dumps", kinds: [.crash, .hang], formats: ["minidump", "elf-core"], annotations: ["service": "shop"])
        ])
        let shop = ["service": "shop", "version": "2.1"]
        let lanes = [
            router.decision(for: Self.outline(.hang, format: "elf-core", annotations: shop)),
            router.decision(for: Self.outline(.log, format: "elf-core", annotations: shop)),
            router.decision(for: Self.outline(.crash, format: "text", annotations: shop)),
            router.decision(for: Self.outline(.crash, format: "minidump", annotations: ["service": "shopd"])),
            router.decision(for: Self.outline(.crash, format: "minidump")),
        ]
        #expect(lanes == [.send(Lane("dumps"))] + Array(repeating: .send(Lane("crashes")), count: 4))
    }

    @Test("a damaged payload has its format, too, and keys that differ in case are one")
    func likeness() throws {
        let router = try Self.router([
            .to("dumps", formats: ["minidump"]), .to("archive", annotations: ["Service": "shop"]),
            .to("archive", formats: ["text (damaged)"]),
        ])
        #expect(router.decision(for: Self.outline(format: "minidump (damaged)")) == .send(Lane("dumps")))
        #expect(router.decision(for: Self.outline(annotations: ["service": "shop"])) == .send(Lane("archive")))
        #expect(router.decision(for: Self.outline(format: "text (damaged)")) == .send(Lane("archive")))
        #expect(router.decision(for: Self.outline(format: "text")) == .send(Lane("crashes")))
    }

    @Test("a destination that lacks its access key keeps no report from the others, and all that lack one send nothing")
    func surroundings() throws {
        let bucket = NamedDestination(
            "bucket", .s3(bucket: "lab", region: "eu-central-1", credentials: .profile(file: "/nowhere/keys")))
        let server = NamedDestination("server", .http("https://a.example/{id}"))
        let both = try Router(Routing([server, bucket], routes: []))
        #expect(try both.checkSurroundings().map { $0.contains("the destination bucket: ") } == [true])
        let alone = try Router(Routing([bucket], routes: []))
        let error = #expect(throws: ReportsError.self) { try alone.checkSurroundings() }
        #expect(error?.code == .badConfiguration)
    }

    @Test("the first route that matches decides, and a route may keep reports from being sent")
    func order() throws {
        let router = try Self.router([.hold(kinds: [.log]), .to("archive"), .to("dumps")])
        #expect(router.decision(for: Self.outline(.crash)) == .send(Lane("archive")))
        guard case .hold(.undecided, _) = router.decision(for: Self.outline(.log)) else {
            Issue.record("the log is not held")
            return
        }
    }

    @Test(
        "names that are none, that are given twice, and routes that lead nowhere are refused",
        arguments: [
            (["a", "a"], "a", "given twice"), (["A"], "A", "1 to 32"), ([""], "", "1 to 32"),
            ([String(repeating: "a", count: 33)], "a", "1 to 32"), (["a/b"], "a", "1 to 32"),
            (["a"], "b", "no such destination"), ([], "a", "no destination"),
        ])
    func refused(names: [String], target: String, words: String) {
        let error = #expect(throws: ReportsError.self) {
            try Routing(names.map { NamedDestination($0, .http("https://a.example/")) }, routes: [.to(target)])
        }
        #expect(error?.code == .badConfiguration)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("other routes, another order and other destinations have another text; the same have the same")
    func texts() throws {
        let routes: [[Reports.Route]] = [
            [], [.to("dumps")], [.to("archive")], [.hold()], [.to("dumps", kinds: [.crash])],
            [.to("dumps", formats: ["crash"])], [.to("dumps", annotations: ["a": "b"])],
            [.to("dumps"), .to("archive")], [.to("archive"), .to("dumps")],
        ]
        let texts = try routes.map { try Self.router($0).text }
        #expect(Set(texts).count == routes.count)
        #expect(
            try Self.router([.to("dumps", kinds: [.log, .crash])]).text
                == Self.router([.to("dumps", kinds: [.crash, .log])]).text)
        #expect(try Router(Routing(.http("https://a.example/"))).text == nil)
    }
}
