import Background
package import Diagnosis
import DurableIO

/// A check as monitoring systems read it: one line by the guidelines of the Monitoring Plugins, or one JSON object.
extension SpoolCheck {
    /// `REPORTS` and the level, the first problem with what to do, how many others there are, and the figures.
    package var line: String { "\(Self.prefix(level)) - \(text) | \(performance)" }

    /// The line of a check that could not be made.
    package static func line(unknown message: String) -> String {
        "\(prefix(.unknown)) - \(plain(message))"
    }

    private static func prefix(_ level: Level) -> String { "REPORTS \(level.word.uppercased())" }

    /// Without what ends a line or begins the figures.
    private static func plain(_ text: String) -> String {
        let oneLine = text.split { $0 == "\n" || $0 == "\r" || $0 == "\r\n" }.joined(separator: " ")
        return Printable.text(oneLine.replacing("|", with: "/"))
    }

    /// What is wrong and what to do, or how well all goes.
    private var text: String {
        guard let first = problems.first else { return wellWords }
        let others = problems.dropFirst().map(\.message)
        let also = others.isEmpty ? "" : "; also: " + others.joined(separator: "; ")
        return Self.plain("\(first.message); \(first.advice)\(also)")
    }

    private var wellWords: String {
        let count = figures.undeliveredCount
        let waiting = count == 0 ? "nothing waits" : "\(count) undelivered"
        guard let last = figures.lastDelivery else { return waiting }
        return "\(waiting), last delivery \(TimeSpan.words(milliseconds: max(0, figures.time - last))) ago"
    }

    // MARK: - Figures

    /// `label=value;warning;critical;minimum;maximum`, separated by blanks. A level is given where the figure alone
    /// decides.
    private var performance: String {
        let stored = figures.stored
        var parts = [
            "undelivered=\(figures.undeliveredCount);;;0",
            "undelivered_age=\((figures.undeliveredAge ?? 0) / 1_000)s;;\(thresholds.maximumAge / 1_000);0",
            "held=\(figures.sum { $0 == .held }.count);;;0",
            "parked=\(figures.parkedCount);\(thresholds.maximumParked);;0",
            "evicted=\(figures.recentEvictionCount);;0;0",
            "braked=\(figures.recentlyBraked.reports);0;;0",
            "left_drops=\(figures.leftDropCount);0;;0",
            Self.use("stored", UInt64(clamping: stored.count), "", of: UInt64(clamping: figures.limits.maximumCount)),
        ]
        if let limit = figures.maximumByteCount {
            parts.append(Self.use("stored_size", stored.byteCount, "B", of: limit))
        }
        if let space = figures.space, let floor = figures.freeFloor {
            parts.append("free=\(space.available)B;;\(floor):;0;\(space.total)")
        }
        return parts.joined(separator: " ")
    }

    private static func use(_ label: String, _ used: UInt64, _ unit: String, of limit: UInt64) -> String {
        // A monitoring system takes a level to be passed when the figure is above it.
        let (warning, critical) = (max(1, nearly(limit)) - 1, max(1, limit) - 1)
        return "\(label)=\(used)\(unit);\(warning);\(critical);0;\(limit)"
    }

    // MARK: - JSON

    package var json: JSONObject {
        var object = Self.json(level, text)
        object["problems"] = .array(problems.map { .object($0.json) })
        let stored = figures.stored
        let numbers: [(String, JSONValue)] = [
            ("undelivered", JSONValue(figures.undeliveredCount)),
            ("undelivered_age", JSONValue(figures.undeliveredAge.map { $0 / 1_000 })),
            ("held", JSONValue(figures.sum { $0 == .held }.count)),
            ("parked", JSONValue(figures.parkedCount)),
            ("evicted", JSONValue(figures.recentEvictionCount)),
            ("braked", JSONValue(figures.recentlyBraked.reports)),
            ("left_drops", JSONValue(figures.leftDropCount)),
            ("stored", JSONValue(stored.count)),
            ("max_count", JSONValue(figures.limits.maximumCount)),
            ("stored_size", JSONValue(stored.byteCount)),
            ("max_total_size", JSONValue(figures.maximumByteCount)),
            ("free_space", JSONValue(figures.space?.available)),
            ("min_free_space", JSONValue(figures.freeFloor)),
            ("held_by_route", JSONValue(figures.heldByRouteCount)),
        ]
        for (name, value) in numbers { object[name] = value }
        return object
    }

    /// The object of a check that could not be made.
    package static func json(unknown message: String) -> JSONObject { json(.unknown, plain(message)) }

    private static func json(_ level: Level, _ text: String) -> JSONObject {
        JSONObject([
            .init(key: "status", value: .string(level.word)),
            .init(key: "code", value: JSONValue(level.rawValue)),
            .init(key: "message", value: .string(text)),
        ])
    }
}

extension SpoolCheck.Problem {
    fileprivate var json: JSONObject {
        JSONObject([
            .init(key: "problem", value: .string(code)),
            .init(key: "level", value: .string(level.word)),
            .init(key: "message", value: .string(message)),
            .init(key: "advice", value: .string(advice)),
            .init(key: "destination", value: JSONValue(destination)),
        ])
    }
}
