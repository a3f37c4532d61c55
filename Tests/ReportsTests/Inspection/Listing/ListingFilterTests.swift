import Background
import Digests
import DurableIO
import Foundation
import Testing

@testable import Reports

@Suite("Listing what is asked for")
struct ListingFilterTests {
    /// What the ledger can be for a reader.
    enum Ledger: CaseIterable {
        case whole, missing, damaged

        func prepare(_ harness: SpoolHarness) throws {
            guard self != .whole else { return }
            try harness.loseLedger()
            guard self == .damaged else { return }
            try Data(repeating: 0x5a, count: 9_000).write(to: URL(fileURLWithPath: "\(harness.path)/ledger.sqlite"))
        }
    }

    private func ids(_ harness: SpoolHarness, _ selection: SpoolInspector.Selection) throws -> [String?] {
        try harness.list(selection).map(\.id)
    }

    // MARK: - Time

    @Test("what was collected at the time or later is shown, wherever it lies", arguments: Ledger.allCases)
    func since(ledger: Ledger) async throws {
        try await withSpool { harness in
            try await harness.takeCrash(in: "a")
            let second = try await harness.takeCrash(in: "b", as: .rejected)
            let third = try await harness.takeCrash(in: "c")
            let fourth = try harness.add("published")
            try ledger.prepare(harness)
            let times = try harness.list().reversed().map { try #require($0.collectedAt) }
            #expect(try ids(harness, .init(since: times[1])) == [fourth.hex, third.hex, second.hex])
            #expect(try ids(harness, .init(since: times[1] + 1)) == [fourth.hex, third.hex])
            #expect(try ids(harness, .init(since: times[3] + 1)).isEmpty)
            #expect(try ids(harness, .init(since: .min)).count == 4)
            #expect(try ids(harness, .init(states: ["rejected"], since: times[1])) == [second.hex])
            #expect(try ids(harness, .init(since: times[1], limit: 1)) == [fourth.hex])
        }
    }

    @Test("of a drop the last change counts, which a rename into the drop zone is, and not its own older time")
    func sinceOfDrops() async throws {
        try await withSpool { harness in
            try harness.drop("new", "new")
            let path = harness.path + "/incoming/new"
            let longAgo = Date(timeIntervalSince1970: 0)
            try FileManager.default.setAttributes([.modificationDate: longAgo], ofItemAtPath: path)
            let now = Int64(Date().timeIntervalSince1970 * 1_000)
            #expect(try harness.list(.init(since: now - 60_000)).count == 1)
            #expect(try harness.list(.init(since: now + 60_000)).isEmpty)
        }
    }

    @Test("of a file that cannot be read the last change counts")
    func sinceOfUnreadableFiles() async throws {
        try await withSpool { harness in
            let id = try harness.add("one")
            let name = try #require(try harness.entries("collected").first)
            try Data("no gzip member".utf8).write(to: URL(fileURLWithPath: "\(harness.path)/collected/\(name)"))
            let now = Int64(Date().timeIntervalSince1970 * 1_000)
            #expect(try harness.list(.init(since: now - 60_000)).map(\.reason) == ["unreadable"])
            #expect(try ids(harness, .init(since: now + 60_000)).isEmpty)
            #expect(try ids(harness, .init()) == [id.hex])
        }
    }

    // MARK: - Annotations

    /// Annotations that look alike, and one that is asked for. The first of each list holds it, the others do not.
    static let annotated: [(key: String, value: String, reports: [[String: String]])] = [
        ("service", "shop", [["service": "shop"], ["service": "shopping"], ["service": "Shop"], ["other": "shop"]]),
        ("SERVICE", "shop", [["Service": "shop"], ["services": "shop"]]),
        ("q", #"say "hi""#, [["q": #"say "hi""#], ["q": "say 'hi'"]]),
        ("q", #"\"#, [["q": #"\"#], ["q": #"\\"#]]),
        ("q", "a\nb", [["q": "a\nb"], ["q": "a b"], ["q": "anb"], ["q": #"a\nb"#]]),
        ("q", "50%_", [["q": "50%_"], ["q": "50xx"], ["q": "50%%_"]]),
        ("q", "a=b=c", [["q": "a=b=c"], ["q": "a"]]),
        ("q", "", [["q": ""], ["r": ""], ["q": " "]]),
        ("q", "\u{e9}", [["q": "\u{e9}"], ["q": "e\u{301}"]]),
        ("q", "e\u{301}", [["q": "e\u{301}"], ["q": "\u{e9}"]]),
        ("q", "\u{202e}evil\u{1b}[2J", [["q": "\u{202e}evil\u{1b}[2J"], ["q": "evil"]]),
        ("q", "' OR 1=1 --", [["q": "' OR 1=1 --"], ["q": "x"]]),
        ("version", "shop", [["version": "shop"], ["service": "shop"], ["x": #""version":"shop""#]]),
    ]

    @Test("an annotation counts byte for byte, and its key in any case", arguments: annotated, [true, false])
    func annotation(case: (key: String, value: String, reports: [[String: String]]), hasLedger: Bool) async throws {
        try await withSpool { harness in
            var added: [String] = []
            for (number, annotations) in `case`.reports.enumerated() {
                added.append(try harness.add("report \(number)", annotations: annotations).hex)
            }
            try await harness.takeIn()
            if !hasLedger { try harness.loseLedger() }
            let test = AnnotationTest(key: `case`.key, value: `case`.value)
            #expect(try ids(harness, .init(annotations: [test])) == [added[0]])
        }
    }

    @Test("a summary, a name and other values that look like the annotation are none")
    func imitations() async throws {
        try await withSpool { harness in
            let imitation = #""annotations":{"service":"x"},"service":"x""#
            try harness.add(imitation, annotations: ["a": imitation, "b": ":\"x\""])
            let real = try harness.add("real", annotations: ["service": "x"])
            try await harness.takeIn()
            let test = AnnotationTest(key: "service", value: "x")
            #expect(try ids(harness, .init(annotations: [test])) == [real.hex])
            #expect(try harness.groups(.init(annotations: [test])).map(\.count) == [1])
        }
    }

    @Test("of several annotations all must hold")
    func annotations() async throws {
        try await withSpool { harness in
            try harness.add("a", annotations: ["service": "shop", "host": "web-1"])
            let both = try harness.add("b", annotations: ["service": "shop", "host": "web-2"])
            try harness.add("c", annotations: ["service": "cart", "host": "web-2"])
            try await harness.takeIn()
            let tests = [AnnotationTest(key: "service", value: "shop"), AnnotationTest(key: "host", value: "web-2")]
            #expect(try ids(harness, .init(annotations: tests)) == [both.hex])
            #expect(try ids(harness, .init(annotations: tests + [.init(key: "host", value: "web-1")])).isEmpty)
        }
    }

    @Test("a drop in a room has the room's service and version before it is taken in")
    func dropRoom() async throws {
        try await withSpool { harness in
            try FileManager.default.createDirectory(
                atPath: harness.path + "/incoming/shop@2.1", withIntermediateDirectories: false)
            try harness.drop("shop@2.1/crash", "crash")
            try harness.drop("other", "other")
            let test = AnnotationTest(key: "service", value: "shop")
            let views = try harness.list(.init(annotations: [test]))
            #expect(views.map(\.version) == ["2.1"])
            #expect(try harness.groups().map(\.services) == [["shop"]])
        }
    }

    // MARK: - Bytes

    @Test("undelivered is what has its bytes in the spool", arguments: Ledger.allCases)
    func undelivered(ledger: Ledger) async throws {
        try await withSpool { harness in
            var kept: Set<String> = []
            for state in TransferState.allCases where state != .sending {
                let id = try await harness.make(state, text: "a report that is \(state)", reason: .countLimit)
                if state.isLive || state.isParked { kept.insert(id.hex) }
            }
            kept.insert(try harness.add("published").hex)
            try harness.drop("drop", "drop")
            let all = try harness.list().count
            try ledger.prepare(harness)
            let undelivered = SpoolInspector.Selection(isUndelivered: true)
            let found = try harness.list(undelivered)
            #expect(Set(found.compactMap(\.id)) == kept)
            #expect(found.filter { $0.id == nil }.map(\.state) == ["incoming"])
            #expect(ledger != .whole || all == found.count + 3)
            #expect(try harness.list(.init(states: ["delivered", "evicted"], isUndelivered: true)).isEmpty)
            #expect(try harness.list(.init(states: ["incoming", "evicted"], isUndelivered: true)).count == 1)
            #expect(try harness.groups(undelivered).reduce(0) { $0 + $1.count } == found.count)
        }
    }

    @Test("a rejected report whose bytes are gone is not undelivered")
    func lostBytes() async throws {
        try await withSpool { harness in
            try await harness.takeCrash(in: "a", as: .rejected, reason: .bytesMissing)
            let kept = try await harness.takeCrash(in: "b", as: .rejected)
            #expect(try ids(harness, .init(isUndelivered: true)) == [kept.hex])
            #expect(try harness.groups(.init(isUndelivered: true)).map(\.count) == [1])
        }
    }

    // MARK: - Signature

    @Test("a signature, or its first digits, finds its crashes, wherever they lie", arguments: Ledger.allCases)
    func signature(ledger: Ledger) async throws {
        try await withSpool { harness in
            let first = try await harness.takeCrash(in: "a", "1")
            try await harness.takeCrash(in: "b", "1")
            let second = try await harness.takeCrash(in: "a", "2", as: .rejected)
            try harness.add("no crash", kind: nil)
            try await harness.takeIn()
            harness.clock.advance(by: 1_000)
            let published = try harness.add(SpoolHarness.crash(in: "a", "3"), kind: nil)
            let all = try harness.list()
            let signature = try #require(all.first { $0.id == first.hex }?.signature)
            try ledger.prepare(harness)
            for digits in [signature, String(signature.prefix(6))] {
                #expect(try ids(harness, .init(signature: digits)) == [published.hex, second.hex, first.hex])
                #expect(try ids(harness, .init(states: ["rejected"], signature: digits)) == [second.hex])
                #expect(try ids(harness, .init(signature: digits, limit: 2)) == [published.hex, second.hex])
            }
            #expect(try ids(harness, .init(signature: "000000")).isEmpty)
            #expect(try ids(harness, .init(signature: "0000000000000000")).isEmpty)
        }
    }

    @Test("first digits that many signatures have find them all, the newest first", arguments: [2, 8, 9, 40])
    func manySignatures(count: Int) async throws {
        try await withSpool { harness in
            try await harness.change { store in
                for number in 0..<3 * count {
                    // The ledger's own idea of a signature and the description's must agree.
                    let digits = String(number % count, radix: 16)
                    let signature = "abcdef" + String(repeating: "0", count: 10 - digits.count) + digits
                    try store.insert(
                        NewTransfer(
                            identifier: ContentHash(of: Array("\(number)".utf8)).hex, lane: .main, label: "crash",
                            rank: 0, metadata: #"{"signature":"\#(signature)"}"#, byteCount: 1,
                            seenWall: Int64(number / 2), signature: signature))
                }
            }
            let views = try harness.list(.init(signature: "abcdef"))
            #expect(views.count == 3 * count)
            #expect(Set(views.compactMap(\.id)).count == 3 * count)
            #expect(zip(views, views.dropFirst()).allSatisfy { ($0.collectedAt ?? 0) >= ($1.collectedAt ?? 0) })
            #expect(try harness.list(.init(states: ["held"], signature: "abcdef")).isEmpty)
            #expect(try harness.groups(.init(signature: "abcdef")).map(\.count) == Array(repeating: 3, count: count))
        }
    }

    // MARK: - Together

    @Test("all conditions hold together")
    func together() async throws {
        try await withSpool { harness in
            let shop = ["service": "shop"]
            try await harness.takeCrash(in: "a", "old", annotations: shop, as: .rejected)
            let time = harness.clock.wallMilliseconds
            let wanted = try await harness.takeCrash(in: "a", "1", annotations: shop, as: .rejected)
            try await harness.takeCrash(in: "b", "2", annotations: shop, as: .rejected)
            try await harness.takeCrash(in: "a", "3", annotations: ["service": "cart"], as: .rejected)
            try await harness.takeCrash(in: "a", "4", annotations: shop, as: .evicted, reason: .countLimit)
            try await harness.takeCrash(in: "a", "5", annotations: shop)
            let newest = try await harness.takeCrash(in: "a", "6", annotations: shop, as: .rejected)
            let signature = try #require(try harness.list().last?.signature)
            var selection = SpoolInspector.Selection(
                states: ["rejected", "evicted"], kind: "crash", signature: signature, since: time,
                annotations: [AnnotationTest(key: "service", value: "shop")], isUndelivered: true)
            #expect(try ids(harness, selection) == [newest.hex, wanted.hex])
            #expect(try harness.groups(selection).map(\.count) == [2])
            selection.limit = 1
            #expect(try ids(harness, selection) == [newest.hex])
            // The limit is one of groups.
            #expect(try harness.groups(selection).map(\.count) == [2])
            selection.kind = "log"
            #expect(try ids(harness, selection).isEmpty)
            #expect(try harness.groups(selection).isEmpty)
        }
    }
}
