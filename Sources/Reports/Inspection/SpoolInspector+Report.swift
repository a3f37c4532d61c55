package import Background
package import Diagnosis
import DurableIO

/// One report, by its id or the beginning of it.
extension SpoolInspector {
    /// The one id that begins with a prefix.
    /// - Throws: ``ReportsError``: `badIdentifier` for no hexadecimal prefix of 6 or more, or one that fits several;
    ///   `noSuchReport`.
    package func resolve(_ prefix: String) throws -> String {
        guard Self.isHexadecimal(prefix), Self.prefixLengths.contains(prefix.utf8.count) else {
            throw ReportsError(
                .badIdentifier, "\"\(Printable.text(prefix))\" is no report id: give 6 to 64 of its digits 0-9 a-f")
        }
        var matches = try fileMatches(prefix, in: reader == nil ? everyRoom : [spool.collected])
        matches.formUnion(try reader?.queries.identifiers(prefix: prefix, limit: 3) ?? [])
        // While the owner enrols a report its file has left `collected/` and its row is yet to come.
        if matches.isEmpty, reader != nil { matches = try fileMatches(prefix, in: everyRoom) }
        guard let match = matches.first else {
            throw ReportsError(.noSuchReport, "there is no report \(prefix)")
        }
        guard matches.count == 1 else {
            throw ReportsError(.badIdentifier, "\(prefix) matches more than one report: give more digits")
        }
        return match
    }

    /// How many digits of an id name it.
    static let prefixLengths = 6...64

    static func isHexadecimal(_ word: String) -> Bool {
        word.utf8.allSatisfy(\.isLowerHexDigit)
    }

    private var everyRoom: [Directory] { [spool.collected, spool.queued, spool.parked] }

    private func fileMatches(_ prefix: String, in rooms: [Directory]) throws -> Set<String> {
        var matches: Set<String> = []
        for room in rooms {
            for name in (try? spool.files.entries(of: room)) ?? [] {
                if let id = StoredReport.id(in: name)?.hex, id.hasPrefix(prefix) { matches.insert(id) }
            }
        }
        return matches
    }

    package func record(_ id: String) throws -> TransferRecord? {
        try reader?.queries.record(id)
    }

    /// Whether the same bytes were handed in before and are, or were, on their way.
    package func isKnown(_ id: String) -> Bool {
        guard let record = try? record(id) else { return false }
        return record.state != .evicted && record.state != .removed
    }

    /// - Throws: ``ReportsError`` `noSuchReport` when a report has no bytes that could be sent again, or deleted.
    package func requireBytes(_ id: String, for action: Order.Action) throws {
        guard let record = try record(id) else { return }
        let isRetry = action == .retry
        switch record.state {
        case .delivered:
            let outcome =
                isRetry ? "there is nothing to send" : "there is nothing to delete, and its record stays 90 days"
            throw ReportsError(.noSuchReport, "\(id) is delivered: \(outcome)")
        case .evicted, .removed:
            // What was handed in again since is on its way to be a report again.
            if try publishedIdentifiers().contains(id) { return }
            let isBraked = record.reason == .ended(.signatureLimit)
            let outcome =
                isRetry
                ? "are gone, \(isBraked ? "raise max_per_signature and " : "")add them again"
                : "are gone already, and its record stays \(isBraked ? 7 : 90) days"
            throw ReportsError(.noSuchReport, "\(id) is \(record.state.rawValue): its bytes \(outcome)")
        case .queued, .sending, .waiting, .held, .rejected, .exhausted: return
        }
    }

    /// A report by its full id.
    package func report(_ id: String) throws -> ReportView {
        if let record = try record(id) { return view(of: record) }
        if let view = try publishedReports().first(where: { $0.id == id }) { return view }
        if let hash = ContentHash(hex: id),
            let report = try? spool.stored(StoredReport.name(of: hash), in: spool.queued)
        {
            return ReportView(report, state: .queued, reason: nil)
        }
        // Between the two looks it may have got its row and gone on.
        if let record = try record(id) { return view(of: record) }
        throw ReportsError(.noSuchReport, "there is no report \(id)")
    }

    /// Everything `show` tells besides the report itself.
    package func details(_ id: String) throws -> JSONObject {
        var object = JSONObject()
        let record = try record(id)
        let attempts = try record.map { try reader?.queries.attempts(of: $0) ?? [] } ?? []
        object["history"] = .array(attempts.map { .object($0.json) })
        object["charged"] = JSONValue(record?.charged ?? 0)
        object["receipt"] = record?.receipt.flatMap { try? JSONValue.parse(Array($0.utf8)) } ?? .null
        return object
    }
}

extension AttemptRecord {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object["started_at"] = .string(RFC3339.string(milliseconds: startedWall))
        object["ended_at"] = JSONValue(endedWall.map(RFC3339.string))
        object["status"] = JSONValue(status)
        object["error"] = JSONValue(error)
        object["bytes_sent"] = JSONValue(bytesSent)
        object["retry_after"] = JSONValue(retryAfter.map { ($0 + 999) / 1_000 })
        return object
    }
}
