package import Diagnosis

extension JudgeServer {
    /// The events that a Bugsink has stored, in the order of their arrival.
    package func sentryEvents() async throws -> [StoredEvent] {
        try Self.objects(in: try await Self.script(["bugsink", peer.directory, "events"])).map(StoredEvent.init)
    }

    /// What was sent to a Bugsink, as it came, what it refused included.
    package func sentryEnvelopes() async throws -> [ReceivedEnvelope] {
        try Self.objects(in: try await Self.script(["bugsink", peer.directory, "envelopes"])).map(ReceivedEnvelope.init)
    }

    /// Ends the time for which a Bugsink answers 429.
    package func resetQuota() async throws {
        _ = try await Self.script(["bugsink", peer.directory, "reset-quota"])
    }

    /// What Sentry's own normaliser says of files, each an event or an envelope, in their order.
    package static func normaliserVerdicts(on paths: [String]) async throws -> [NormaliserVerdict] {
        try objects(in: try await script(["check"] + paths, accepting: [0, 1])).map(NormaliserVerdict.init)
    }

    /// Writes a minidump of a Linux program, and gives its bytes.
    /// - Parameters:
    ///   - path: where to.
    ///   - options: those of `judge.sh minidump`.
    /// - Returns: the bytes.
    /// - Throws: ``CommandFailed``.
    package static func makeMinidump(_ path: String, _ options: String...) async throws -> [UInt8] {
        _ = try await script(["minidump"] + options + [path])
        return try contents(of: path)
    }
}

/// An event that a Sentry-compatible server has stored.
package struct StoredEvent: Sendable {
    package let id: String
    package let level: String
    package let platform: String
    package let release: String
    package let environment: String
    /// What the server has made of the exception: its title.
    package let type: String
    package let lastFunction: String
    package let lastFile: String
    package let project: Int64
    /// The event itself.
    package let event: JSONValue

    init(_ line: JSONValue) {
        let text = { (name: String) in line[name]?.stringValue ?? "" }
        id = text("event_id")
        level = text("level")
        platform = text("platform")
        release = text("release")
        environment = text("environment")
        type = text("type")
        lastFunction = text("last_function")
        lastFile = text("last_file")
        project = line["project"]?.integerValue ?? 0
        event = line["event"] ?? .null
    }
}

/// An envelope as it came to a Sentry-compatible server.
package struct ReceivedEnvelope: Sendable {
    /// A part of it.
    package struct Item: Sendable {
        package let header: JSONValue
        package let byteCount: Int64
        /// The SHA-256 of its payload, in hex.
        package let hash: String
        /// Whether not even a newline comes after it.
        package let endsEnvelope: Bool
        /// The event, if it is one.
        package let event: JSONValue?
    }

    /// The id that its header names.
    package let eventID: String
    package let items: [Item]
    /// What is wrong with its form.
    package let complaint: String?

    /// The items that are attachments.
    package var attachments: [Item] { items.filter { $0.header["type"] == "attachment" } }

    init(_ line: JSONValue) {
        eventID = line["header"]?["event_id"]?.stringValue ?? ""
        complaint = line["malformed"]?.stringValue
        items = (line["items"]?.arrayValue ?? []).map { item in
            Item(
                header: item["header"] ?? .null, byteCount: item["size"]?.integerValue ?? -1,
                hash: item["sha256"]?.stringValue ?? "", endsEnvelope: item["ends_envelope"]?.boolValue ?? false,
                event: item["event"])
        }
    }
}

/// What Sentry's own normaliser says of an event.
package struct NormaliserVerdict: Sendable {
    /// Each field that Sentry would drop, and each fault of the envelope.
    package let problems: [JSONValue]
    /// Each field that is longer than Sentry keeps.
    package let trimmed: [JSONValue]

    init(_ line: JSONValue) {
        problems = line["problems"]?.arrayValue ?? [.null]
        trimmed = line["trimmed"]?.arrayValue ?? []
    }
}
