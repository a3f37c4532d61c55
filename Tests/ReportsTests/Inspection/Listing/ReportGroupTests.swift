import Background
import Diagnosis
import Digests
import DurableIO
import Foundation
import Testing

@testable import Reports

@Suite("Groups of reports")
struct ReportGroupTests {
    @Test("a group counts every report of its signature, whatever its state, and tells what they have in common")
    func counting() async throws {
        try await withSpool { harness in
            let start = harness.clock.wallMilliseconds
            for (detail, state) in [
                ("1", TransferState.delivered), ("2", .evicted), ("3", .removed), ("4", .rejected), ("5", .queued),
            ] {
                try await harness.takeCrash(
                    in: "a", detail, annotations: ["service": "shop", "version": "2.\(detail)"], as: state)
            }
            try await harness.takeCrash(in: "b", annotations: ["service.name": "cart", "release": "1"])
            // The first is handed in again, which makes its group the one that was seen last.
            try await harness.takeCrash(in: "a", "4", annotations: ["service": "shop"])
            let groups = try harness.groups()
            #expect(groups.map(\.count) == [5, 1])
            let group = try #require(groups.first)
            #expect(group.occurrences == 6)
            #expect(group.firstSeen == start)
            #expect(group.lastSeen == start + 6_000)
            #expect(group.services == ["shop"])
            #expect(group.versions == ["2.1", "2.2", "2.3", "2.4", "2.5"])
            #expect(
                group.states.map { "\($0.name) \($0.count)" } == [
                    "queued 1", "delivered 1", "rejected 1", "evicted 1", "removed 1",
                ])
            #expect(group.summary?.contains("with length 3 5") == true, "\(group.summary ?? "")")
            #expect(group.kind == "crash")
            #expect(groups[1].services == ["cart"])
            #expect(groups[1].versions == ["1"])
            let newest = try harness.list().first { $0.version == "2.5" }
            #expect(group.signature != nil && group.signature == newest?.signature)
        }
    }

    @Test("the newest crash speaks for its group, also behind a report that is none")
    func speaker() {
        func member(_ kind: String, _ time: Int64, _ summary: String) -> ReportGroup.Member {
            ReportGroup.Member(
                state: "queued", kind: kind, occurrences: 1, firstSeen: time, lastSeen: time, annotations: [:],
                summary: summary)
        }
        var group = ReportGroup(.signature(7))
        for (kind, time, summary, speaks) in [
            ("diagnostic", 3, "a", "a"), ("crash", 1, "b", "b"), ("diagnostic", 4, "c", "b"), ("crash", 2, "d", "d"),
            ("crash", 1, "e", "d"),
        ] as [(String, Int64, String, String)] {
            group.add(member(kind, time, summary))
            #expect(group.summary == speaks && group.kind == (speaks == "a" ? "diagnostic" : "crash"))
        }
    }

    @Test("JSON has the contract's members in its order")
    func json() async throws {
        try await withSpool { harness in
            try await harness.takeCrash(in: "a", annotations: ["version": "2.10", "service": "shop"], as: .delivered)
            try await harness.takeCrash(in: "a", "again", annotations: ["version": "2.9", "service": "cart\n"])
            let group = try #require(try harness.groups().first).json
            #expect(
                group.members.map(\.key) == [
                    "signature", "count", "occurrences", "first_seen", "last_seen", "services", "versions", "states",
                    "summary", "kind", "destinations",
                ])
            #expect(group["first_seen"]?.stringValue == RFC3339.string(milliseconds: 1_790_000_000_000))
            #expect(group.description.contains(#""services":["cart\u000a","shop"],"versions":["2.9","2.10"]"#))
            #expect(group.description.contains(#""states":{"queued":1,"delivered":1}"#))
        }
    }

    @Test("services that differ in bytes are two, even where Unicode calls them equal")
    func bytes() async throws {
        try await withSpool { harness in
            for (detail, service) in [("1", "caf\u{e9}"), ("2", "cafe\u{301}")] {
                try await harness.takeCrash(in: "a", detail, annotations: ["service": service])
            }
            #expect(try harness.groups().first?.services.map { Array($0.utf8).count }.sorted() == [5, 6])
        }
    }

    @Test("reports without a signature are one group for each kind, and drops are one of no kind")
    func withoutSignature() async throws {
        try await withSpool { harness in
            try harness.add("one", kind: .log)
            try harness.add("two", kind: .log, annotations: ["service": "shop"])
            try await harness.takeIn()
            harness.clock.advance(by: 1_000)
            try harness.add("three", kind: .crash)
            try harness.drop("a", "a")
            try harness.drop("b", "b")
            let groups = try harness.groups()
            #expect(groups.allSatisfy { $0.signature == nil })
            #expect(Set(groups.map(\.kind)) == [nil, "crash", "log"])
            for (kind, count, state) in [(nil, 2, "incoming"), ("crash", 1, "queued"), ("log", 2, "queued")] {
                let group = try #require(groups.first { $0.kind == kind })
                #expect(group.count == count)
                #expect(group.states.map(\.name) == [state])
            }
            #expect(groups.first { $0.kind == "log" }?.services == ["shop"])
            #expect(try harness.groups(.init(kind: "log")).map(\.count) == [2])
        }
    }

    @Test("the group that was seen last comes first, and a limit counts groups")
    func order() async throws {
        try await withSpool { harness in
            for (number, function) in ["a", "b", "c", "a", "b"].enumerated() {
                try await harness.takeCrash(in: function, "\(number)")
            }
            func functions(_ selection: SpoolInspector.Selection) throws -> [String] {
                try harness.groups(selection).compactMap { group in
                    ["main.a", "main.b", "main.c"].first { group.summary?.contains($0) == true }
                }
            }
            #expect(try functions(.init()) == ["main.b", "main.a", "main.c"])
            #expect(try functions(.init(limit: 2)) == ["main.b", "main.a"])
        }
    }

    @Test("files and rows of a signature are one group", arguments: ListingFilterTests.Ledger.allCases)
    func filesAndRows(ledger: ListingFilterTests.Ledger) async throws {
        try await withSpool { harness in
            try await harness.takeCrash(in: "a", "1", annotations: ["version": "1"])
            try await harness.takeCrash(in: "a", "2", annotations: ["version": "2"], as: .rejected)
            try harness.add(SpoolHarness.crash(in: "a", "3"), kind: nil, annotations: ["version": "3"])
            try harness.add(SpoolHarness.crash(in: "b", "4"), kind: nil)
            try ledger.prepare(harness)
            let groups = try harness.groups()
            #expect(Set(groups.map(\.count)) == [3, 1])
            let group = try #require(groups.first { $0.count == 3 })
            #expect(group.versions == ["1", "2", "3"])
            #expect(group.summary?.contains("with length 3 3") == true)
            #expect(group.states.map { "\($0.name) \($0.count)" } == ["queued 2", "rejected 1"])
            #expect(try harness.groups(.init(annotations: [.init(key: "version", value: "2")])).map(\.count) == [1])
        }
    }

    @Test("many pages of rows are counted once each, with and without a signature")
    func manyRows() async throws {
        try await withSpool { harness in
            try await harness.change { store in
                for number in 0..<4_200 {
                    let signature = number % 3 == 0 ? nil : number % 3 == 1 ? "00000000000000aa" : "ff000000000000bb"
                    let description = signature.map { #""signature":"\#($0)","# } ?? ""
                    try store.insert(
                        NewTransfer(
                            identifier: ContentHash(of: Array("\(number)".utf8)).hex, lane: .main, label: "crash",
                            rank: 0, metadata: #"{\#(description)"annotations":{"version":"\#(number % 7)"}}"#,
                            byteCount: 1, seenWall: Int64(number / 9), signature: signature))
                    if number % 5 == 0 {
                        try store.end(ContentHash(of: Array("\(number)".utf8)).hex, as: .delivered, reason: .rejected)
                    }
                }
            }
            let groups = try harness.groups()
            #expect(groups.map(\.count) == [1_400, 1_400, 1_400])
            #expect(groups.map(\.signature) == ["00000000000000aa", "ff000000000000bb", nil])
            #expect(groups.allSatisfy { $0.versions == (0..<7).map(String.init) })
            #expect(groups.allSatisfy { $0.states.reduce(0) { $0 + $1.count } == 1_400 })
            let one = try harness.groups(.init(annotations: [.init(key: "version", value: "3")]))
            #expect(one.map(\.count) == [200, 200, 200])
        }
    }

    @Test("of very many services and versions of one group the first thousand are kept, and it says so")
    func manyVersions() throws {
        var group = ReportGroup(.kind("log"))
        for number in 0..<1_500 {
            let annotations = ["service": "one", "version": "\(number)"]
            group.add(
                ReportGroup.Member(
                    state: "queued", kind: "log", occurrences: .max, firstSeen: 0, lastSeen: 0,
                    annotations: annotations, summary: nil))
            #expect(group.isCut == (number >= ReportGroup.maximumValueCount))
        }
        #expect(group.count == 1_500)
        #expect(group.occurrences == .max)
        #expect(group.services == ["one"])
        #expect(group.versions == (0..<ReportGroup.maximumValueCount).map(String.init))
        #expect(group.json["cut"] == .bool(true))
    }
}
