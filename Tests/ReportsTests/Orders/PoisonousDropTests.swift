import Background
import Diagnosis
import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

@Suite("Orders about drops over which the program died")
struct PoisonousDropTests {
    @Test("retry has the next submit collect it", arguments: [false, true])
    func retry(byFile: Bool) async throws {
        try await withSpool { harness in
            let path = try await harness.begin("core.1", deaths: 3)
            try await harness.carryOut(.retry, on: harness.targets(of: "core.1"), byFile: byFile)
            #expect(try await harness.begunCount() == 0)
            #expect(try harness.entries("taken").map { "taken/" + $0 } == [path])
            #expect(try harness.reason(ofDrop: "core.1") == "is being taken")
            #expect(try await harness.submit().delivered == 1)
            #expect(try harness.entries("taken") == [])
        }
    }

    @Test("remove deletes it, and no row of it stays", arguments: [false, true])
    func remove(byFile: Bool) async throws {
        try await withSpool { harness in
            try await harness.begin("core.1", deaths: 3)
            try await harness.carryOut(.remove, on: harness.targets(of: "core.1", for: .remove), byFile: byFile)
            #expect(try harness.entries("taken") == [])
            #expect(try await harness.begunCount() == 0)
            #expect(try await harness.submit().delivered == 0)
            #expect(try harness.findings(.note) == [])
        }
    }

    @Test("beside a living owner an order is filed, and the owner acts once")
    func filed() async throws {
        try await withSpool { harness in
            try await harness.begin("core.1", deaths: 3)
            let owner = try #require(try await harness.own())
            _ = try await OrderDispatch(spool: harness.spool).carryOut(.remove, on: harness.targets(of: "core.1"))
            #expect(try harness.entries("taken").count == 1)
            let name = try #require(try harness.entries("collected").first)
            let file = URL(fileURLWithPath: "\(harness.path)/collected/\(name)")
            let bytes = try Data(contentsOf: file)
            try await owner.resign()
            try await harness.carryOutOrders()
            #expect(try harness.entries("taken") + harness.entries("collected") == [])

            // As after a power cut that took both unlinks back; the drop is not what the order was about any more.
            try bytes.write(to: file)
            try await harness.begin("core.1", deaths: 3)
            try await harness.carryOutOrders()
            #expect(try harness.entries("taken").count == 1)
            #expect(try harness.entries("collected") == [])
        }
    }

    @Test("an order is void for a drop that is collected again meanwhile", arguments: [Order.Action.retry, .remove])
    func void(action: Order.Action) async throws {
        try await withSpool { harness in
            try await harness.begin("core.1", deaths: 3)
            let targets = try harness.targets(of: "core.1")
            _ = try await OrderDispatch(spool: harness.spool).carryOut(.retry, on: targets)
            #expect(try await OrderDispatch(spool: harness.spool).carryOut(action, on: targets) == [])
            #expect(try harness.entries("taken").count == 1)
        }
    }

    @Test("retry of all takes them, too", arguments: [false, true])
    func retryAll(byFile: Bool) async throws {
        try await withSpool { harness in
            let parked = try await harness.make(.rejected, text: "parked")
            try await harness.begin("core.1", deaths: 3)
            try await harness.carryOut(.retry, on: [.all], byFile: byFile)
            #expect(try await harness.begunCount() == 0)
            #expect(try harness.state(parked)?.isLive == true)
            #expect(try await harness.submit().delivered == 2)
        }
    }

    @Test("a drop whose unlinking is not durable is poisonous still, and its order is carried out later")
    func notDurable() async throws {
        let files = FaultingFileSystem { call throws(FileSystemError) in
            if call.operation == .sync, call.name == nil, call.room == "taken" {
                throw FileSystemError(.sync, "taken", .ioError)
            }
        }
        try await withTemporaryDirectory { directory in
            let sound = try SpoolHarness(directory + "/spool")
            try await sound.begin("core.1", deaths: 3)
            let failing = try SpoolHarness(directory + "/spool", files: files)
            await #expect(throws: ReportsError.self) {
                try await failing.carryOut(.remove, on: failing.targets(of: "core.1"), byFile: false)
            }
            #expect(try await sound.begunCount() == 1)
        }
    }

    // MARK: - By name

    @Test("an id wins over a name, and digits that are no id may be a name")
    func names() async throws {
        try await withSpool { harness in
            let id = try await harness.make(.rejected)
            let prefix = String(id.hex.prefix(8))
            try await harness.begin(prefix, deaths: 3)
            #expect(try harness.targets(of: prefix) == [.report(id.hex)])
            try await harness.begin("1234", nonce: "1123456789abcdef", deaths: 3)
            try await harness.begin("00000000", nonce: "2123456789abcdef", deaths: 3)
            #expect(try harness.targets(of: "1234").map(\.description) == ["taken/1123456789abcdef.1234"])
            #expect(try harness.targets(of: "00000000").map(\.description) == ["taken/2123456789abcdef.00000000"])
        }
    }

    @Test("a name means every poisonous drop that has it, a path one of them")
    func several() async throws {
        try await withSpool { harness in
            let first = try await harness.begin("core", deaths: 3)
            let second = try await harness.begin("core", nonce: "1123456789abcdef", deaths: 4)
            try await harness.begin("core", nonce: "2123456789abcdef", deaths: 2)
            #expect(try harness.targets(of: "core").map(\.description).sorted() == [first, second])
            #expect(try harness.targets(of: second).map(\.description) == [second])
        }
    }

    @Test("a name that no poisonous drop has is no report either", arguments: ["core.2", "innocent", "taken/core.1"])
    func unknown(word: String) async throws {
        try await withSpool { harness in
            try await harness.begin("core.1", deaths: 3)
            try await harness.begin("innocent", nonce: "1123456789abcdef", cuts: 2)
            let error = #expect(throws: ReportsError.self) { try harness.targets(of: word) }
            #expect(error?.code == .noSuchReport)
            #expect(error?.message == "there is no report \(word), and no drop of that name with reason poison")
            let digits = #expect(throws: ReportsError.self) { try harness.targets(of: "12345") }
            #expect(digits?.code == .badIdentifier)
        }
    }

    // MARK: - The file

    @Test("the name goes into the file as bytes, and an earlier program leaves the order alone")
    func form() throws {
        let entry = try #require(EntryName(bytes: Array("0123456789abcdef.core ".utf8) + [0xff, 0x0a]))
        let place = try #require(DropPlace(entry, in: .taken))
        for action in [Order.Action.retry, .remove] {
            let order = Order(action, .drop(place), filedAt: 7)
            #expect(try Order(bytes: order.bytes) == order)
            let word = try #require(try JSONValue.parse(order.bytes)["action"]?.stringValue)
            #expect(Order.Action(rawValue: word) == nil)
        }
        #expect(Order.Target.drop(place).json["id"] == .null)
        #expect(Order.Target.drop(place).json["name_b64"] != nil)
    }

    @Test(
        "an order about a drop that this program cannot read is left alone",
        arguments: [
            (#"{"action":"remove-drop","v":2,"drop":"x","filed_at":1}"#, Order.Problem.unknownAction("remove-drop")),
            (#"{"action":"remove-drop","v":1,"room":"taken","filed_at":1}"#, .damaged),
            (#"{"action":"remove-drop","v":1,"room":"queued","name_b64":"YQ==","filed_at":1}"#, .damaged),
            (#"{"action":"remove-drop","v":1,"room":"taken","name_b64":"Li4=","filed_at":1}"#, .damaged),
            // A name in `incoming/` that no owner gave.
            (#"{"action":"remove-drop","v":1,"room":"incoming","name_b64":"YQ==","filed_at":1}"#, .damaged),
        ])
    func stranger(text: String, problem: Order.Problem) {
        #expect(throws: problem) { try Order(bytes: Array(text.utf8)) }
    }
}

extension SpoolHarness {
    /// What a word means to `retry` and `remove`.
    fileprivate func targets(of word: String, for action: Order.Action = .retry) throws -> [Order.Target] {
        try SpoolInspector(spool: spool).targets(of: word, for: action)
    }

    /// A life that carries out what was asked for, and nothing else.
    fileprivate func carryOutOrders() async throws {
        _ = try await OrderDispatch(spool: spool).carryOut(.retry, on: [])
    }

    /// Asks at once, or beside an owner by a file that the next life finds.
    fileprivate func carryOut(_ action: Order.Action, on targets: [Order.Target], byFile: Bool) async throws {
        let owner = byFile ? try await own() : nil
        _ = try await OrderDispatch(spool: spool).carryOut(action, on: targets)
        try await owner?.resign()
        if byFile { try await carryOutOrders() }
    }
}
