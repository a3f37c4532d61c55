import Diagnosis
import DurableIO
import TestSupport
import Testing

@testable import Reports

/// What a record says of a report.
@Suite("Log records of reports")
struct OTLPRecordTests {
    private static let wall: UInt64 = 1_790_000_000_000

    private static func record(
        kind: ReportKind = .crash, annotations: [String: String] = [:], crash: Crash? = nil, text: String? = "text",
        occurredAt: Int64? = nil
    ) throws -> OTLPRecord {
        let stored = try DestinationContractTests.report(
            Array((text ?? "").utf8), format: "text", kind: kind, annotations: annotations
        ).stored
        var properties = stored.properties
        properties.occurredAt = occurredAt
        let report = StoredReport(
            id: stored.id, properties: properties, size: stored.size, wireSize: stored.wireSize,
            wireHash: stored.wireHash, headerByteCount: 0)
        let diagnosis = Diagnosis(
            format: "text", contentType: "text/plain", kind: .other, summary: "a crash", crash: crash)
        let part = text.map { OTLPPayloadPart(text: Array($0.utf8), of: UInt64($0.utf8.count)) }
        return OTLPRecord(report, diagnosis, part ?? OTLPPayloadPart(), host: "box")
    }

    private static var crash: Crash {
        var crash = Crash(program: "shopd", process: 27, cause: Crash.Cause(type: "SIGSEGV", signal: "SIGSEGV"))
        crash.cause.code = "SEGV_MAPERR"
        crash.cause.address = 0x10
        crash.version = "9"
        crash.images = [
            Crash.Image(path: "/usr/lib/libc.so.6", buildID: "aa"), Crash.Image(path: "/srv/shopd", buildID: "f1c3"),
        ]
        crash.runtime = Crash.Runtime(name: "Swift", version: "6.3")
        crash.threads = [
            Crash.Thread(isCrashed: false, frames: [Crash.Frame(function: "wait", isOwn: false)]),
            Crash.Thread(
                isCrashed: true,
                frames: [
                    Crash.Frame(
                        function: "pay(_:)", file: "src/main.swift", line: 14, column: 47, module: "/srv/shopd",
                        address: 0x1234, isOwn: true),
                    Crash.Frame(module: "/srv/shopd", moduleOffset: 0xff, isOwn: true),
                    Crash.Frame(address: 0x99, isOwn: false),
                ]),
        ]
        return crash
    }

    private static func value(_ key: String, in attributes: OTLPAttributes) -> OTLPAttributes.Value? {
        attributes.items.first { $0.key == key }?.value
    }

    @Test(
        "the kind decides on severity and event",
        arguments: [
            (ReportKind.crash, 21, "FATAL", "app.crash"), (.hang, 17, "ERROR", "report.hang"),
            (.diagnostic, 13, "WARN", "report.diagnostic"), (.log, 9, "INFO", nil), (.other, 9, "INFO", nil),
        ] as [(ReportKind, UInt64, String, String?)])
    func kinds(kind: ReportKind, number: UInt64, word: String, event: String?) throws {
        let record = try Self.record(kind: kind)
        #expect(record.severity.rawValue == number)
        #expect(record.severity.text == word)
        #expect(record.eventName == event)
        let id = Self.value("app.crash.id", in: record.attributes)
        #expect((id != nil) == (kind == .crash))
        #expect(Self.value("report.kind", in: record.attributes) == .text(kind.rawValue))
    }

    @Test("a crash is told by the names of the semantic conventions")
    func conventions() throws {
        let record = try Self.record(crash: Self.crash)
        let expected: [(String, OTLPAttributes.Value)] = [
            ("exception.type", .text("SIGSEGV")), ("exception.message", .text("SEGV_MAPERR at 0x10")),
            (
                "exception.stacktrace",
                .text("#0 pay(_:) in shopd at src/main.swift:14:47\n#1 shopd+0xff\n#2 0x99")
            ),
            ("process.pid", .number(27)), ("process.executable.name", .text("shopd")),
            ("process.executable.path", .text("/srv/shopd")),
            ("process.executable.build_id.gnu", .text("f1c3")), ("process.runtime.name", .text("Swift")),
            ("process.runtime.version", .text("6.3")), ("service.version", .text("9")), ("report.size", .number(4)),
        ]
        for (key, value) in expected { #expect(Self.value(key, in: record.attributes) == value, "\(key)") }
        let id = try DestinationContractTests.report("text").stored.id.hex
        for key in ["log.record.uid", "app.crash.id", "report.sha256"] {
            #expect(Self.value(key, in: record.attributes) == .text(id))
        }
        #expect(record.body == "a crash")
    }

    @Test("annotations are attributes each, and say the service, its version and the environment")
    func annotations() throws {
        let record = try Self.record(
            annotations: ["service": "shop", "version": "2.1", "environment": "lab", "empty": ""], crash: Self.crash)
        #expect(Self.value("service.name", in: record.resource) == .text("shop"))
        #expect(Self.value("service.version", in: record.attributes) == .text("2.1"))
        #expect(Self.value("deployment.environment.name", in: record.attributes) == .text("lab"))
        #expect(Self.value("report.annotation.service", in: record.attributes) == .text("shop"))
        #expect(Self.value("report.annotation.empty", in: record.attributes) == .text(""))
    }

    @Test("the resource is this machine, and names a service in any case")
    func resource() throws {
        for (annotations, crash, name) in [
            (["service.name": "cart"], Self.crash, "cart"), ([:], Self.crash, "shopd"),
            ([:], nil, "unknown_service:reports"),
        ] as [([String: String], Crash?, String)] {
            let resource = try Self.record(annotations: annotations, crash: crash).resource
            #expect(Self.value("service.name", in: resource) == .text(name))
            #expect(Self.value("host.name", in: resource) == .text("box"))
            #expect(Self.value("os.type", in: resource) == .text("linux"))
            #expect(!resource.items.contains { $0.key.hasPrefix("telemetry.") })
        }
    }

    @Test("the time is what the report says, else the payload, else when it was collected, and fits a signed number")
    func times() throws {
        let plain = try Self.record()
        #expect(plain.time == Self.wall * 1_000_000 && plain.observedTime == plain.time)
        var crash = Self.crash
        crash.occurredAt = 1_000
        #expect(try Self.record(crash: crash).time == 1_000_000_000)
        #expect(try Self.record(crash: crash, occurredAt: 2_000).time == 2_000_000_000)
        let largest = UInt64(Int64.max)
        let times: [(Int64, UInt64)] = [
            (.min, 0), (-1, 0), (.max, largest), (.max / 1_000_000 + 1, largest),
            (.max / 1_000_000, UInt64(Int64.max / 1_000_000) * 1_000_000),
        ]
        for (time, expected) in times {
            crash.occurredAt = time
            #expect(try Self.record(crash: crash).time == expected)
            #expect(try Self.record(occurredAt: time).time == expected)
        }
    }

    @Test("the body of a log is its text, up to 64 KiB, unless no payload goes out")
    func logs() throws {
        #expect(try Self.record(kind: .log, text: "line 1\nline 2").body == "line 1\nline 2")
        #expect(try Self.record(kind: .log, text: nil).body == "a crash")
        #expect(try Self.record(kind: .other, text: "line 1").body == "a crash")
        let long = "é" + String(repeating: "ü", count: 64 << 10)
        let body = try Self.record(kind: .log, text: "x" + long).body
        #expect(body.utf8.count == (64 << 10) - 1)
        #expect(("x" + long).hasPrefix(body))
    }

    @Test("no key is there twice, and none is empty")
    func keys() throws {
        var annotations: [String: String] = [:]
        for key in ["uid", "payload", "kind", "a.b", "A.B-c"] { annotations[key] = "v" }
        let record = try Self.record(annotations: annotations, crash: Self.crash)
        let keys = record.attributes.items.map(\.key)
        #expect(Set(keys).count == keys.count)
        #expect(!keys.contains(""))
        var attributes = OTLPAttributes()
        attributes.add("", "x")
        attributes.add("a", "1")
        attributes.add("a", "2")
        attributes.add("b", String?.none)
        attributes.add("c", "")
        #expect(attributes.items.map(\.key) == ["a"])
        #expect(attributes.items.map(\.value) == [.text("1")])
    }

    @Test("a long stack is cut between two frames, and says how many there are more")
    func longStack() {
        let frame = Crash.Frame(function: String(repeating: "f", count: 1_000), isOwn: true)
        let thread = Crash.Thread(isCrashed: true, frames: Array(repeating: frame, count: 256))
        let text = thread.stackText(upTo: OTLPRecord.maximumStackByteCount)
        #expect(text.utf8.count <= OTLPRecord.maximumStackByteCount)
        let lines = text.split(separator: "\n")
        #expect(lines.last == "… \(256 - lines.count + 1) more")
        #expect(lines.dropLast().allSatisfy { $0.utf8.count >= 1_003 })
        #expect(Crash.Thread(isCrashed: true, frames: []).stackText(upTo: 100).isEmpty)
    }

    @Test("the largest report that there can be makes a request of less than 1 MiB, with less than 128 attributes")
    func bounded() throws {
        var annotations: [String: String] = [:]
        for index in 0..<Annotations.maximumCount { annotations["k\(index)"] = String(repeating: "v", count: 1_024) }
        var crash = Self.crash
        crash.cause.message = String(repeating: "m", count: Crash.Bounds.messageByteCount)
        crash.threads = [
            Crash.Thread(
                isCrashed: true,
                frames: Array(
                    repeating: Crash.Frame(function: String(repeating: "f", count: 1_024), isOwn: true), count: 256))
        ]
        // UTF-16 of three bytes in UTF-8 for each two.
        var units: [UInt8] = [0xff, 0xfe]
        for _ in 1..<OTLPPayload.maximumByteCount / 2 { units += [0x2d, 0x4e] }
        let part = OTLPPayloadPart(text: units, of: UInt64(units.count))
        #expect(part.isWhole)
        let report = try DestinationContractTests.report(units, format: "text", kind: .log, annotations: annotations)
        let diagnosis = Diagnosis(format: "text", contentType: "text/plain", kind: .log, summary: "", crash: crash)
        let record = OTLPRecord(report.stored, diagnosis, part, host: "box")
        #expect(record.request.count < 1 << 20)
        #expect(record.request.count > 500 << 10)
        #expect(record.attributes.items.count < 128)
    }
}
