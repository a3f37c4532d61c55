import Diagnosis
import DurableIO
import TestSupport
import Testing

@testable import Reports

@Suite("annotations in an event")
struct SentryAnnotationTests {
    private static func event(_ annotations: [String: String], program: String? = "shopd") -> SentryEvent {
        SentryEvent(of: Crash(program: program, cause: Crash.Cause(type: "SIGSEGV")), annotations: annotations)
    }

    @Test("each has the place that Sentry has for it")
    func places() {
        let event = Self.event([
            "release": "shop@1", "environment": "lab", "dist": "42", "transaction": "GET /", "host": "vm7",
            "user.id": "u-17", "user.email": "a@b.example", "user.username": "ada", "user.ip_address": "::1",
            "site": "berlin", "version": "2.1",
        ])
        let json = event.json
        #expect(json["release"]?.stringValue == "shop@1")
        #expect(json["environment"]?.stringValue == "lab")
        #expect(json["dist"]?.stringValue == "42")
        #expect(json["transaction"]?.stringValue == "GET /")
        #expect(json["server_name"]?.stringValue == "vm7")
        #expect(json["user"]?["id"]?.stringValue == "u-17")
        #expect(json["user"]?["email"]?.stringValue == "a@b.example")
        #expect(json["user"]?["username"]?.stringValue == "ada")
        #expect(json["user"]?["ip_address"]?.stringValue == "::1")
        let tags = json["tags"]?.objectValue?.members.map(\.key)
        #expect(tags == ["report.kind", "report.format", "site", "version"])
        #expect(json["extra"] == nil)
    }

    @Test("a version is a release of the program")
    func versions() {
        #expect(Self.event(["version": "2.1"]).json["release"]?.stringValue == "shopd@2.1")
        #expect(Self.event(["version": "2.1"], program: nil).json["release"]?.stringValue == "2.1")
        #expect(Self.event(["build": "7"]).json["dist"]?.stringValue == "7")
        #expect(Self.event([:]).json["release"] == nil)
        #expect(Self.event([:]).json["server_name"]?.stringValue == "vm1")
        var crash = Crash(program: "Shop", cause: Crash.Cause(type: "EXC_CRASH"))
        crash.version = "3.0 (12)"
        #expect(SentryEvent(of: crash).json["release"]?.stringValue == "Shop@3.0 (12)")
    }

    @Test("the service is the program where the crash names none, whoever has named the service and its version")
    func services() {
        let service = ["service.name": "tilld", "service.version": "2.1"]
        #expect(Self.event(service).json["release"]?.stringValue == "shopd@2.1")
        #expect(Self.event(service, program: nil).json["release"]?.stringValue == "tilld@2.1")
        let upperCased = Self.event(["Service": "tilld", "VERSION": "2.1"], program: "")
        #expect(upperCased.json["release"]?.stringValue == "tilld@2.1")
        #expect(Self.event(["service": "tilld", "version": ""], program: nil).json["release"] == nil)
        #expect(Self.event(["service": "tilld", "Release": "till@3"]).json["release"]?.stringValue == "till@3")
        // A log that was dropped into the room `tilld@2.1` is no crash.
        let log = SentryEvent(of: "hello\n", annotations: ["service": "tilld", "version": "2.1"])
        #expect(log.exception == nil)
        #expect(log.json["release"]?.stringValue == "tilld@2.1")
        #expect(log.json["tags"]?["service"]?.stringValue == "tilld")
    }

    @Test(
        "a value for which Sentry would drop the whole member is made fit, and kept as it is besides",
        arguments: [
            ("release", "shop/1.0\\x", "shop_1.0_x"), ("release", "a\nb\tc", "a_b_c"), ("release", "..", "_.."),
            ("release", "latest", "_latest"), ("environment", "prod/eu", "prod_eu"), ("environment", "None", "_None"),
            ("dist", "4 2:é", "4_2__"), ("transaction", "a\nb", "a b"), ("host", " a\nb ", "a b"),
            ("user.id", "a\u{0}b", "ab"),
        ])
    func fitted(key: String, value: String, expected: String) {
        let event = Self.event([key: value])
        #expect(SentryEventShape.faults(in: event) == [])
        let path = key == "host" ? ["server_name"] : key.split(separator: ".").map(String.init)
        #expect(path.reduce(event.json) { $0[$1] ?? .null }.stringValue == expected)
        #expect(event.json["extra"]?[key] != nil)
    }

    @Test("long values are cut, and kept whole besides")
    func long() {
        let text = String(repeating: "é", count: 512)
        for key in ["release", "environment", "dist", "transaction", "host", "user.id", "user.email", "user", "site"] {
            let event = Self.event([key: text])
            #expect(SentryEventShape.faults(in: event) == [])
            #expect(event.json["extra"]?[key]?.stringValue == text)
        }
    }

    @Test(
        "an annotation that can be no tag is kept",
        arguments: [
            ("function", "f"), ("filename", "a"), ("report.kind", "x"), ("a-key-that-is-longer-than-a-tag-may-be", "x"),
            ("note", "two\nlines"), ("user.ip_address", "nowhere"),
        ])
    func extra(key: String, value: String) {
        let event = Self.event([key: value])
        #expect(SentryEventShape.faults(in: event) == [])
        #expect(event.json["extra"]?[key]?.stringValue == value)
        #expect(event.json["tags"]?[key]?.stringValue != value)
        #expect(event.json["tags"]?["report.kind"]?.stringValue == "crash")
    }

    @Test("hostile annotations break nothing")
    func hostile() {
        let values = [
            "", " ", "\u{0}", "\r\n", "\u{1b}[2J", "{{ default }}", "null", "\u{202e}", "[Filtered]", "\\", "\"",
        ]
        let keys = ["release", "environment", "dist", "build", "transaction", "host", "user", "user.id", "tag", "."]
        for key in keys {
            for value in values {
                #expect(SentryEventShape.faults(in: Self.event([key: value])) == [], "\(key) \(value.debugDescription)")
            }
        }
    }
}

@Suite("events without a crash of their own")
struct SentryMessageTests {
    @Test("a payload without a crash is a message, grouped by its format")
    func message() {
        let event = SentryEvent(of: "till opened\ntill closed\n", annotations: ["version": "2.1"])
        #expect(SentryEventShape.faults(in: event) == [])
        #expect(event.json["platform"]?.stringValue == "other")
        #expect(event.json["level"]?.stringValue == "info")
        #expect(event.json["logentry"]?["formatted"]?.stringValue?.contains("till") == true)
        #expect(event.json["fingerprint"] == .array([.string("{{ default }}"), .string("text")]))
        #expect(event.json["release"]?.stringValue == "2.1")
        #expect(event.exception == nil)
        #expect(event.attachmentType == "event.attachment")
    }

    @Test("a report that nobody has diagnosed is a message")
    func undiagnosed() throws {
        let payload = try CorpusFile.bytes(of: "shopd-2740-0.0.json")
        let report = StoredReport.sample(payload, diagnose(payload))
        let event = SentryEvent(report, nil, host: "vm1")
        #expect(SentryEventShape.faults(in: event) == [])
        #expect(event.exception == nil)
        #expect(event.json["level"]?.stringValue == "fatal")
        #expect(event.json["tags"]?["report.format"]?.stringValue == "swift-backtrace-json")
    }

    @Test("a minidump is read by the server, so that its event has no exception")
    func minidump() throws {
        let payload = try CorpusFile.bytes(of: "test.dmp")
        let event = SentryEvent(of: payload, name: "test.dmp")
        #expect(SentryEventShape.faults(in: event) == [])
        #expect(event.attachmentType == "event.minidump")
        #expect(event.json["platform"]?.stringValue == "native")
        #expect(event.json["level"]?.stringValue == "fatal")
        for key in ["exception", "threads", "debug_meta", "fingerprint"] { #expect(event.json[key] == nil) }
    }

    @Test("a minidump that is not sent has the exception that is known of it")
    func omittedMinidump() throws {
        let payload = try CorpusFile.bytes(of: "test.dmp")
        let event = SentryEvent(of: payload, name: "test.dmp", omittedAttachment: true)
        #expect(SentryEventShape.faults(in: event) == [])
        #expect(event.exception?["type"] != nil)
        #expect(event.json["contexts"]?["report"]?["attachment"]?.stringValue?.hasPrefix("omitted: ") == true)
    }

    @Test("what a compressed file holds decides on the event, and its attachment is a file like any other")
    func compressed() throws {
        let payload = try CorpusFile.bytes(of: "test.dmp")
        var diagnosis = diagnose(payload, name: "test.dmp")
        (diagnosis.format, diagnosis.innerFormat) = ("gzip", "minidump")
        let event = SentryEvent(StoredReport.sample(payload, diagnosis), diagnosis, host: "vm1")
        #expect(SentryEventShape.faults(in: event) == [])
        #expect(event.attachmentType == "event.attachment")
        #expect(event.exception?["mechanism"] != nil)
        #expect(event.json["platform"]?.stringValue == "native")
    }

    @Test("the text that Sentry reads of Apple's crashes is told as such")
    func appleCrash() throws {
        let event = SentryEvent(
            of: """
                Process:             Shop [2290]
                Version:             2.1 (43)
                OS Version:          macOS 12.3.1 (21E258)
                Exception Type:  EXC_BREAKPOINT (SIGTRAP)
                Triggered by Thread:  0

                Thread 0 Crashed:
                0   Shop        0x0000000104c1d7a8 Shelf.restock(_:) + 120744 (Shelf.swift:52)

                Thread 0 crashed with ARM Thread State (64-bit):
                    x0: 0x0000000000000000   x1: 0x000000010a8e3c20

                Binary Images:
                0x104c00000 - 0x104c4bfff Shop arm64  <0f6d2f7e58a13d7793c04a0b5e1c9d21> /Applications/Shop.app/Shop

                """)
        #expect(SentryEventShape.faults(in: event) == [])
        #expect(event.attachmentType == "event.applecrashreport")
        #expect(event.json["platform"]?.stringValue == "cocoa")
        #expect(event.json["debug_meta"]?["images"]?[0]?["type"]?.stringValue == "macho")
        #expect(event.exception?["stacktrace"]?["registers"]?["x1"]?.stringValue == "0x000000010a8e3c20")
        #expect(event.exception?["mechanism"]?["synthetic"]?.boolValue == true)
    }
}
