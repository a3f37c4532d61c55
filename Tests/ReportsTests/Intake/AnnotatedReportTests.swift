import Background
import Digests
import DurableIO
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Reports

/// The annotations that the settings give, as a producer brings them into its reports, and the facts among them.
@Suite("Annotations of the settings in reports")
struct AnnotatedReportTests {
    private static let machineID = "00112233445566778899aabbccddeeff"

    /// Opens the spool of the harness with rules, on a machine that has an id.
    private func open(
        _ harness: SpoolHarness, _ rules: AnnotationRules, machineID: String = machineID
    ) throws -> ReportSpool {
        let file = harness.path + ".machine-id"
        try Data(machineID.utf8).write(to: URL(fileURLWithPath: file))
        var options = ReportSpool.Options()
        options.annotations = rules
        options.factPlaces.machineIDs = [FilePath(file)]
        let spool = try ReportSpool.open(
            FilePath(harness.path), isCreating: true, options: options, files: harness.spool.files,
            clock: harness.clock, slots: PayloadSlots(count: 2))
        return try #require(spool)
    }

    /// The annotations of a report as it was added.
    @discardableResult
    private func add(
        _ text: String = "one", _ own: [String: String] = [:], to spool: ReportSpool
    ) throws -> [String: String] {
        let producer = ReportProducer(spool: spool)
        let prepared = try producer.prepare(
            .bytes(Array(text.utf8)), as: .init(kind: .log, annotations: own), from: text)
        try producer.store([prepared])
        return prepared.report.properties.annotations
    }

    private func salt(of harness: SpoolHarness) throws -> String? {
        let reader = try LedgerReader(
            name: LedgerPlace.ledgerName, in: harness.spool.root, files: harness.spool.files, clock: harness.clock)
        return try reader.queries.memories(prefix: SpoolSalt.name)[SpoolSalt.name]
    }

    @Test("a report's own annotations stand over those of the settings, but not over facts and fixed ones")
    func merged() async throws {
        try await withSpool { harness in
            let rules = AnnotationRules(
                values: ["service": "shop", "site": "berlin", "rack": "B7"], fixedKeys: ["site"], facts: ["host": .host]
            )
            let spool = try open(harness, rules)
            let host = try #require(MachineFacts().host)
            #expect(try add(to: spool) == ["service": "shop", "site": "berlin", "rack": "B7", "host": host])
            let own = ["Service": "mine", "Site": "x", "HOST": "y", "version": "2.1"]
            let expected = ["Service": "mine", "site": "berlin", "rack": "B7", "host": host, "version": "2.1"]
            #expect(try add("two", own, to: spool) == expected)
            // They are stored with the report: the ledger has them, too.
            try await harness.takeIn()
            let view = try SpoolInspector(spool: harness.spool).report(ContentHash.of("two").hex)
            #expect(view.annotations == expected)
        }
    }

    @Test("what another user adds to a shared spool gets none: the owner brings them in")
    func dropZone() async throws {
        try await withSpool { harness in
            try harness.spool.files.setPermissions(0o3733, of: harness.spool.incoming)
            let spool = try open(harness, AnnotationRules(values: ["service": "shop"]))
            let facts = try spool.files.metadata(of: spool.root)
            let zone = SharedDropZone(
                spool.incoming, path: spool.root.path, spool: facts,
                facts: try spool.files.metadata(of: spool.incoming), spool.options, files: spool.files,
                clock: spool.clock)
            let producer = ReportProducer(zone: zone)
            #expect(!producer.usesSettings && ReportProducer(spool: spool).usesSettings)
            let prepared = try producer.prepare(.bytes([1]), as: .init(annotations: ["a": "b"]), from: "one")
            #expect(prepared.report.properties.annotations == ["a": "b"])
        }
    }

    @Test("where there is no space for all, those of the settings go that are not fixed; the report's own are kept")
    func noSpace() async throws {
        try await withSpool { harness in
            let kib = String(repeating: "x", count: 1_024)
            let values = Dictionary(uniqueKeysWithValues: (10..<25).map { ("settings\($0)", kib) })
            let spool = try open(harness, AnnotationRules(values: values, fixedKeys: ["settings24"]))
            let own = Dictionary(uniqueKeysWithValues: (0..<40).map { ("own\($0)", kib) })
            let kept = try add("one", own, to: spool)
            #expect(own.allSatisfy { kept[$0.key] == $0.value })
            #expect(kept["settings24"] == kib)
            // The last by their keys go first.
            #expect(kept["settings10"] == kib && kept["settings23"] == nil)
            #expect(kept.count < 55)
            // The report's own never: this is an error, as it is without settings.
            let tooMany = Dictionary(uniqueKeysWithValues: (0..<47).map { ("own\($0)", kib) })
            let error = #expect(throws: ReportsError.self) { try add("two", tooMany, to: spool) }
            #expect(error?.code == .badArgument)
            #expect(error?.message.contains("too long together") == true)
        }
    }

    @Test("more than 64 annotations: the report's own and the fixed ones are kept, or it is an error")
    func tooMany() async throws {
        try await withSpool { harness in
            let values = Dictionary(uniqueKeysWithValues: (0..<10).map { ("settings\($0)", "v") })
            let spool = try open(harness, AnnotationRules(values: values, fixedKeys: ["settings8", "settings9"]))
            func own(_ count: Int) -> [String: String] {
                Dictionary(uniqueKeysWithValues: (0..<count).map { ("own\($0)", "v") })
            }
            let kept = try add("one", own(62), to: spool)
            #expect(Set(kept.keys) == Set(own(62).keys).union(["settings8", "settings9"]))
            let error = #expect(throws: ReportsError.self) { try add("two", own(63), to: spool) }
            #expect(error?.code == .badArgument)
            #expect(error?.message.contains("63 annotations are too many beside 2 that the settings fix") == true)
            // One that is fixed takes no second place.
            #expect(try add("three", own(62).merging(["SETTINGS9": "x"]) { $1 }, to: spool).count == 64)
        }
    }

    // MARK: - The machine's name

    @Test("the machine's name differs from spool to spool, stays with a spool that moves, and is not the id")
    func machineNames() async throws {
        let rules = AnnotationRules(facts: ["machine": .machineID])
        try await withSpool { first in
            try await withSpool { second in
                let one = try #require(try add(to: open(first, rules))["machine"])
                let other = try #require(try add(to: open(second, rules))["machine"])
                #expect(one != other)
                for name in [one, other] {
                    #expect(name.count == 32 && name.utf8.allSatisfy(\.isLowerHexDigit))
                    #expect(name != Self.machineID)
                }
                // The salt is in the ledger from the making of the spool on, before any owner.
                let salt = try #require(try salt(of: first))
                #expect(salt.count == 32)
                let moved = first.path + ".moved"
                try FileManager.default.moveItem(atPath: first.path, toPath: moved)
                #expect(try add(to: open(SpoolHarness(moved, clock: first.clock), rules))["machine"] == one)
            }
        }
    }

    @Test("an older spool gets its salt from its next owner; until then reports lack the fact, and nobody may give it")
    func olderSpool() async throws {
        try await withSpool { harness in
            try await harness.change { try $0.replaceMemories(prefix: SpoolSalt.name, with: [:]) }
            let spool = try open(harness, AnnotationRules(values: ["a": "b"], facts: ["machine": .machineID]))
            #expect(try add("one", ["Machine": "forged"], to: spool) == ["a": "b"])
            #expect(try salt(of: harness) == nil)
            try await harness.takeIn()
            let salt = try #require(try salt(of: harness))
            let name = try #require(try add("two", to: spool)["machine"])
            try await harness.submit()
            #expect(try self.salt(of: harness) == salt)
            #expect(try add("three", to: spool)["machine"] == name)
        }
    }

    @Test("a machine without an id gives no name, and a program gives none instead")
    func noMachineID() async throws {
        try await withSpool { harness in
            let spool = try open(
                harness, AnnotationRules(facts: ["machine": .machineID]), machineID: "uninitialized\n")
            #expect(try add("one", ["machine": "forged"], to: spool) == [:])
        }
    }

    @Test("a damaged ledger is replaced by one with the same salt", arguments: ["transfer", "attempt"])
    func damaged(table: String) async throws {
        try await withSpool { harness in
            try harness.add("one")
            try await harness.takeIn()
            let salt = try #require(try salt(of: harness))
            try await harness.crash()
            try damageTable(table, in: harness.path + "/ledger.sqlite")
            let summary = try await harness.submit()
            #expect(summary.repairs.contains { $0.contains("set aside") })
            #expect(try self.salt(of: harness) == salt)
        }
    }

    @Test("a lost ledger gets another salt")
    func lost() async throws {
        try await withSpool { harness in
            let salt = try #require(try salt(of: harness))
            try harness.loseLedger()
            try await harness.takeIn()
            let newSalt = try #require(try self.salt(of: harness))
            #expect(newSalt != salt)
        }
    }
}
