import Background
import Foundation
import TestSupport
import Testing

/// An answer of a server as it was recorded or read in its source, and what it has to mean.
struct ScriptedAnswer: Sendable, CustomTestStringConvertible {
    /// For example `s3/NoSuchBucket`.
    let name: String
    let status: Int
    let headers: [(name: String, value: String)]
    let body: String
    /// How far the server's clock is ahead, in seconds; `nil` for an answer without a date.
    let dateOffset: Int64?
    /// In words, for example `held(auth)`.
    let verdict: String

    var testDescription: String { name }

    /// The kind of destination that gets such an answer.
    var kind: String { String(name.prefix { $0 != "/" }) }

    func result(wall: Int64) -> TransportResult {
        var headers = headers
        if let dateOffset { headers.append(("Date", Self.date(wall + dateOffset * 1_000))) }
        guard case .answer(var answer) = TransportResult.status(status, headers: headers, text: body) else {
            return .refused
        }
        answer.isLoopback = false
        return .answer(answer)
    }

    static func date(_ milliseconds: Int64) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.string(from: Date(timeIntervalSince1970: Double(milliseconds) / 1_000))
    }

    /// All of them; none when they cannot be read, which a test notices.
    static let all: [ScriptedAnswer] = (try? read()) ?? []

    static func of(_ kind: String) -> [ScriptedAnswer] { all.filter { $0.kind == kind } }

    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Fixtures/destinations")

    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    private struct Entry: Decodable {
        struct Answer: Decodable {
            var status: Int
            var headers: [String: String]
            var body: String
            var dateOffset: Int64?
        }

        var answer: Answer
        var verdict: String
    }

    private static func read() throws -> [ScriptedAnswer] {
        let entries = try decoder.decode(
            [String: Entry].self, from: Data(contentsOf: fixtures.appending(path: "answers.json")))
        return entries.map { name, entry in
            ScriptedAnswer(
                name: name, status: entry.answer.status,
                headers: entry.answer.headers.map { (name: $0.key, value: $0.value) }, body: entry.answer.body,
                dateOffset: entry.answer.dateOffset, verdict: entry.verdict)
        }.sorted { $0.name < $1.name }
    }
}
