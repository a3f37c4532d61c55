import Diagnosis
import Foundation
import TestSupport
import Testing

/// What was seen in a systemd of its own, which `Tests/Systemd/rig.sh` boots once for all tests.
struct SystemdRig: Sendable {
    /// Each fact is a file of this name.
    private let files: [String: Data]
    /// What the rig's own processes have said.
    private let words: String

    private static let script = ShippedFiles.path("Tests/Systemd/rig.sh")

    /// What the script says this machine can do; `nil` if it cannot boot the rig.
    private static let offer: String? = {
        guard let result = try? run(script, ["--check"]), result.status == 0 else { return nil }
        return result.output
    }()

    static var isPossible: Bool { offer != nil }

    /// Whether the memory of units can be limited.
    static var limitsMemory: Bool { offer?.contains("memory") ?? false }

    private static let booted = Task { try await boot() }

    /// The one rig; the first caller boots it.
    static func shared() async throws -> SystemdRig { try await booted.value }

    private static func boot() async throws -> SystemdRig {
        await Turnstile.shared.enter()
        do {
            let programs = URL(fileURLWithPath: ReportsTool.path).deletingLastPathComponent().path
            var files: [String: Data] = [:]
            var result: ToolResult?
            try await withTemporaryDirectory { folder in
                result = try await runAsynchronously(script, [programs, folder])
                for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                    files[name] = FileManager.default.contents(atPath: "\(folder)/\(name)")
                }
            }
            await Turnstile.shared.leave()
            return SystemdRig(files: files, words: result.map { $0.output + $0.errors } ?? "")
        } catch {
            await Turnstile.shared.leave()
            throw error
        }
    }

    // MARK: - Facts

    /// The text of a fact.
    /// - Throws: if it is missing, with what its scenario and the journal have said last.
    func fact(_ name: String, of scenario: String) throws -> String {
        let text = files[name].map { String(decoding: $0, as: UTF8.self) }
        return try #require(text, "\(name) is missing\n\(story(scenario))")
    }

    func number(_ name: String, of scenario: String) throws -> Int {
        try #require(Int(fact(name, of: scenario)))
    }

    /// A fact of JSON Lines.
    func objects(_ name: String, of scenario: String) throws -> [JSONValue] {
        try fact(name, of: scenario).split(separator: "\n").map { try JSONValue.parse(Array($0.utf8)) }
    }

    /// The end of what a scenario and the journal have said.
    func story(_ scenario: String) -> String {
        let texts = ["\(scenario).log", "journal"].map { name in
            let lines = String(decoding: files[name] ?? Data(), as: UTF8.self).split(separator: "\n")
            return "\(name):\n\(lines.suffix(25).joined(separator: "\n"))"
        }
        return (texts + [words]).joined(separator: "\n")
    }

    // MARK: - Incidents

    /// What is told of a service's one death.
    struct Incident {
        /// The report that servers count, as `reports list --json` prints it.
        let crash: JSONValue
        /// The document of the incident.
        let document: JSONValue

        var cause: String? { crash["annotations"]?["run.cause"]?.stringValue }
        /// All that is known of standard error, from both ends.
        var stderr: String {
            ["head", "tail"].compactMap { document["stderr"]?[$0]?.stringValue }.joined(separator: "\n")
        }
    }

    /// The one incident among the reports of a list, with its payloads, in files of this prefix.
    func incident(in list: [JSONValue], payloads: String, of scenario: String) throws -> Incident {
        let incidents = Set(list.map { $0["annotations"]?["incident"]?.stringValue })
        #expect(incidents.count == 1 && !incidents.contains(nil), "\(list)")
        let crashes = list.filter { $0["kind"]?.stringValue == "crash" }
        #expect(crashes.count == 1 && crashes.first?.count("occurrences") == 1, "\(list)")
        let documents = list.filter { $0["format"]?.stringValue == "reports-run" }
        #expect(documents.count == 1, "\(list)")
        let crash = try #require(crashes.first, "\(story(scenario))")
        let id = try #require(documents.first?["id"]?.stringValue)
        return Incident(
            crash: crash, document: try #require(try objects("\(payloads)\(id)", of: scenario).first))
    }

    /// The incident of a service with a spool of its own.
    func incident(_ name: String, of scenario: String) throws -> Incident {
        try incident(in: objects("\(name).list", of: scenario), payloads: "\(name).cat.", of: scenario)
    }

    /// The incident of a service in the spool of the machine, as the server has got it.
    func sentIncident(_ service: String) throws -> Incident {
        let all = try objects("watch.list", of: "watch")
        let list = all.filter { $0["annotations"]?["service"]?.stringValue == service }
        #expect(list.allSatisfy { $0["state"]?.stringValue == "delivered" }, "\(list)")
        return try incident(in: list, payloads: "sent.", of: "watch")
    }
}

/// An entry of the journal.
struct JournalEntry: Equatable {
    let priority: String?
    let identifier: String?
    let process: String?
    let message: String

    init(_ json: JSONValue) {
        priority = json["PRIORITY"]?.stringValue
        identifier = json["SYSLOG_IDENTIFIER"]?.stringValue
        process = json["_PID"]?.stringValue
        message = json["MESSAGE"]?.stringValue ?? ""
    }
}
