import Background
package import Diagnosis
import DurableIO

/// A report as people and scripts see it, wherever it lies.
package struct ReportView: Sendable {
    /// `nil` for a drop that has not been taken.
    package var id: String?
    package var kind: String?
    package var format: String?
    package var state: String
    package var reason: String?
    /// What is particular to this report about its reason, in a sentence for people.
    package var note: String?
    /// Bytes as dropped.
    package var name: [UInt8]?
    package var size: UInt64
    package var compressedSize: UInt64?
    package var occurrences: Int64
    /// Milliseconds since the epoch, all three.
    package var collectedAt: Int64?
    package var lastSeen: Int64?
    package var nextAttemptAt: Int64?
    package var attempts: Int
    package var lastStatus: Int?
    package var lastError: String?
    package var annotations: [String: String]
    package var summary: String?
    /// What crashes of the same fault have in common; `nil` for what is no crash, and for one without frames of its
    /// own.
    package var signature: String?
    /// When what it tells of happened, in milliseconds since the epoch.
    package var occurredAt: Int64?
    /// The name of the destination that it goes to, or went to; `nil` for a report that has no row in the ledger, for
    /// one of which no run has decided where it goes, for one that a route holds, and for one with a request of its own.
    package var destination: String?
    /// Where it goes, if not to a destination.
    package var request: CallerRequest?
    /// It is the beginning of a file that grew while it was read.
    package var isSnapshot = false
    /// When the file was changed last, in milliseconds since the epoch; `nil` for a report of which more is known.
    var fileChangedAt: Int64?
    /// Whether it is held and rests, because the server may have it already: no submit tries it before its time.
    package var isResting = false
    /// How many bytes the server has acknowledged, and of how many; `nil` unless it is on its way in parts.
    package var uploaded: (offset: UInt64, byteCount: UInt64)?

    /// The note with what a person can do, for people.
    package var explanation: String? {
        guard state == TransferState.waiting.rawValue, reason == WaitReason.deadline.rawValue
        else { return note }
        return (note.map { $0 + ": " } ?? "") + "run submit without --deadline"
    }

    /// Whether it is kept because no route sends it.
    package var isHeldByRoute: Bool { state == TransferState.held.rawValue && reason == HoldReason.route.rawValue }
    /// Whether it was never stored, to keep the limit of a signature.
    package var isBraked: Bool { reason == EndReason.signatureLimit.rawValue }

    /// Whether it is neither delivered nor parked nor gone.
    package var isLive: Bool { TransferState(rawValue: state)?.isLive == true }

    /// Whether the last run had no such destination, and has left it to others.
    package var isLeftToOthers: Bool {
        isLive && destination.map { note == Rerouting.note(Lane($0)) } ?? false
    }

    /// The program that the report is about, if an annotation names it.
    package var service: String? { AnnotationKey.service(of: annotations) }
    /// The version of that program.
    package var version: String? { AnnotationKey.version(of: annotations) }

    /// When the report came, as far as anybody can tell, in milliseconds since the epoch.
    var time: Int64? { collectedAt ?? fileChangedAt }

    /// The contract's members, in its order.
    package var json: JSONObject {
        var object = JSONObject()
        object["id"] = JSONValue(id)
        object["kind"] = JSONValue(kind)
        object["format"] = JSONValue(format)
        object["state"] = .string(state)
        object["reason"] = JSONValue(reason)
        object["name"] = JSONValue(name.map { String(decoding: $0, as: UTF8.self) })
        if let name, String(validating: name, as: UTF8.self) == nil {
            object["name_b64"] = .string(Base64.encode(name))
        }
        object["size"] = JSONValue(size)
        object["compressed_size"] = JSONValue(compressedSize)
        object["occurrences"] = JSONValue(occurrences)
        object["collected_at"] = JSONValue(collectedAt.map(RFC3339.string))
        object["last_seen"] = JSONValue(lastSeen.map(RFC3339.string))
        object["attempts"] = JSONValue(attempts)
        object["next_attempt_at"] = JSONValue(nextAttemptAt.map(RFC3339.string))
        object["last_status"] = JSONValue(lastStatus)
        object["last_error"] = JSONValue(lastError)
        object["annotations"] = .object(
            JSONObject(annotations.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .string($0.value)) }))
        object["summary"] = JSONValue(summary)
        object["note"] = JSONValue(note)
        object["signature"] = JSONValue(signature)
        object["occurred_at"] = JSONValue(occurredAt.map(RFC3339.string))
        object["destination"] = JSONValue(destination)
        if isSnapshot { object["snapshot"] = .bool(true) }
        if let request { object["request"] = request.json }
        if let uploaded {
            object["upload"] = .object(
                JSONObject([
                    .init(key: "offset", value: JSONValue(uploaded.offset)),
                    .init(key: "size", value: JSONValue(uploaded.byteCount)),
                ]))
        }
        return object
    }

    /// A row of the ledger.
    init(_ record: TransferRecord, wall: (Int64) -> Int64) {
        let metadata = ReportMetadata(text: record.metadata)
        id = record.identifier
        kind = record.label
        format = metadata.properties.format
        state = record.state.rawValue
        reason = record.reason?.rawValue
        note = record.note
        name = metadata.properties.name
        size = metadata.size
        compressedSize = UInt64(clamping: record.byteCount)
        occurrences = record.seen
        collectedAt = record.firstSeenWall
        lastSeen = record.lastSeenWall
        nextAttemptAt = record.due.map(wall)
        attempts = record.attempts
        lastStatus = record.lastStatus
        lastError = record.lastError
        annotations = metadata.properties.annotations
        summary = metadata.properties.summary
        signature = metadata.properties.signature
        occurredAt = metadata.properties.occurredAt
        destination = record.lane.destinationName
        request = metadata.properties.request
        isSnapshot = metadata.properties.isSnapshot
        uploaded = record.state.isLive ? record.uploaded : nil
        // The newest that was given, and the one that counts.
        if let stored = record.request {
            request = CallerRequest(method: stored.method, url: stored.url, headerNames: stored.headerNames)
        }
    }

    /// A stored file without a row.
    init(_ report: StoredReport, state: TransferState, reason: String?) {
        id = report.id.hex
        kind = report.properties.kind.rawValue
        format = report.properties.format
        self.state = state.rawValue
        self.reason = reason
        name = report.properties.name
        size = report.size
        compressedSize = report.wireSize
        occurrences = 1
        collectedAt = report.properties.collectedAt
        lastSeen = report.properties.collectedAt
        attempts = 0
        annotations = report.properties.annotations
        summary = report.properties.summary
        signature = report.properties.signature
        occurredAt = report.properties.occurredAt
        request = report.properties.request
        isSnapshot = report.properties.isSnapshot
    }

    /// A stored file that cannot be read.
    init(unreadable id: ContentHash, state: TransferState, note: String, _ facts: FileMetadata?) {
        self.id = id.hex
        self.state = state.rawValue
        reason = "unreadable"
        self.note = note
        size = facts?.size ?? 0
        fileChangedAt = facts?.changedMilliseconds
        occurrences = 1
        attempts = 0
        annotations = [:]
    }

    /// A drop that has not come in.
    init(_ seen: SpoolInspector.SeenDrop) {
        let drop = seen.drop
        state = "incoming"
        kind = seen.header?.kind?.rawValue
        name = seen.header?.name ?? drop.name.bytes
        size = drop.facts?.size ?? 0
        occurrences = 1
        attempts = 0
        annotations = seen.annotations
        fileChangedAt = drop.facts?.changedMilliseconds
        note = seen.note
        if seen.isPoisonous {
            reason = "poison"
            return
        }
        switch drop.readiness {
        case .ready: reason = nil
        case .beingWritten: reason = "is still being written"
        case .beingTaken: reason = "is being taken"
        case .young: reason = "may still be written"
        case .skipped(let why): reason = "skipped: \(why)"
        }
    }
}

extension FileMetadata {
    fileprivate var changedMilliseconds: Int64 { changed / 1_000_000 }
}
