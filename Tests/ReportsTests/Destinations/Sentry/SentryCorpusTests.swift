import Diagnosis
import Foundation
import TestSupport
import Testing

@testable import Reports

/// A payload of which events are made.
struct EventSample: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]

    var testDescription: String { name }

    /// The real payloads, and a small text of each format.
    static let all: [EventSample] = {
        let folder = ScriptedAnswer.fixtures.appending(path: "../../../DiagnosisTests/Fixtures/formats").standardized
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let texts = names.sorted().compactMap { name in
            (try? Data(contentsOf: folder.appending(path: name))).map { EventSample(name: name, bytes: Array($0)) }
        }
        return CorpusFile.all.map { EventSample(name: $0.name, bytes: $0.bytes) } + texts
    }()
}

/// Payloads of all formats, whole, cut and damaged: each gives an event that a server takes as it is.
@Suite("events of all formats")
struct SentryCorpusTests {
    @Test("the samples are there")
    func samples() {
        #expect(EventSample.all.count >= 90)
    }

    @Test("nothing of an event is cut or dropped by a server", arguments: EventSample.all)
    func whole(sample: EventSample) {
        let diagnosis = diagnose(sample.bytes, name: sample.name)
        let event = SentryEvent(of: sample.bytes, name: sample.name)
        #expect(SentryEventShape.faults(in: event) == [])
        guard let crash = diagnosis.crash, diagnosis.format != "minidump" else {
            #expect(event.exception == nil)
            return
        }
        #expect(event.json["platform"]?.stringValue != "other" || ["lua", "julia", "dart"].contains(prefix(diagnosis)))
        // The frame at fault is the last one, and has the function that the crash tells.
        let innermost = crash.crashedThread?.frames.first
        #expect(event.frames.count == crash.crashedThread?.frames.count ?? 0)
        if let function = innermost?.function {
            #expect(function.hasSuffix(event.frames.last?["function"]?.stringValue ?? "?"))
        }
    }

    private func prefix(_ diagnosis: Diagnosis) -> String { String(diagnosis.format.prefix { $0 != "-" }) }

    @Test("the same payload gives the same event", arguments: EventSample.all.prefix(12))
    func stable(sample: EventSample) {
        let (first, second) = (SentryEvent(of: sample.bytes), SentryEvent(of: sample.bytes))
        #expect(first.json == second.json)
        #expect(first.id == second.id)
    }

    @Test("a payload that is cut or damaged gives an event, too", arguments: EventSample.all)
    func damaged(sample: EventSample) {
        guard sample.bytes.count < 1 << 20 else { return }
        for cut in [3, 2] {
            let event = SentryEvent(of: Array(sample.bytes.prefix(sample.bytes.count / cut)), name: sample.name)
            #expect(SentryEventShape.faults(in: event) == [])
        }
        var generator = SystemRandomNumberGenerator()
        var bytes = sample.bytes
        for _ in 0..<bytes.count / 64 { bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255) }
        #expect(SentryEventShape.faults(in: SentryEvent(of: bytes, name: sample.name)) == [])
    }

    @Test("nothing of the payload's environment and arguments is in an event")
    func secrets() throws {
        for (name, secret) in [
            ("report.20261122.111304.2924.0.001.json", "environmentVariables"), ("hs_err_pid2940.log", "PATH="),
        ] {
            let bytes = try CorpusFile.bytes(of: name)
            #expect(String(decoding: bytes, as: UTF8.self).contains(secret))
            let text = SentryEvent(of: bytes, name: name).json.description
            #expect(!text.contains(secret) && !text.contains("java_command") && !text.contains("commandLine"))
        }
    }
}
