import Foundation
import Hummingbird
import Synchronization

/// The answers that the next reports get, for trying out what a reporter does when a server fails.
///
/// Each report request uses up one answer. Without any left, reports are handled normally.
final class AnswerScript: Sendable {
    /// One answer, given `count` times.
    struct Entry: Codable, Sendable {
        /// 200 and 201 stand for normal handling; every other status is answered as it is and nothing is stored.
        var status: Int
        /// The value of `Retry-After`, sent as it is.
        var retryAfter: String?
        /// How many requests get this answer; 0 means all of them from here on. The default is 1.
        var count: Int?
        /// Whether to answer before the body has been read. The default is false.
        var early: Bool?
        /// The body of the answer. The default is an empty one.
        var body: String?

        private enum CodingKeys: String, CodingKey {
            case status
            case retryAfter = "retry_after"
            case count
            case early
            case body
        }

        var isOrdinary: Bool { status == 200 || status == 201 }

        var response: Response {
            var response = Response(status: HTTPResponse.Status(code: status))
            if let body {
                response.headers[.contentType] = "text/plain; charset=utf-8"
                response.body = ResponseBody(byteBuffer: ByteBuffer(string: body))
            }
            response.headers[.retryAfter] = retryAfter
            return response
        }
    }

    private let entries: Mutex<[Entry]>

    init(entries: [Entry]) {
        self.entries = Mutex(entries)
    }

    /// Reads a JSON array of entries.
    ///
    /// - Throws: `Problem` when it is not one, or when a number in it is out of range.
    static func parse(_ json: Data) throws -> [Entry] {
        let entries: [Entry]
        do {
            entries = try JSONDecoder().decode([Entry].self, from: json)
        } catch {
            throw Problem(check: "script", detail: "Not a JSON array of answers: \(error)")
        }
        for entry in entries {
            // 1xx does not end a request, so that no reporter could be tested with it.
            guard (200...599).contains(entry.status), entry.count ?? 1 >= 0 else {
                throw Problem(check: "script", detail: "A status is 200 to 599, a count 0 or more.")
            }
        }
        return entries
    }

    func replace(with entries: [Entry]) {
        self.entries.withLock { $0 = entries }
    }

    func remaining() -> [Entry] {
        entries.withLock { $0 }
    }

    /// Uses up one answer.
    func next() -> Entry? {
        entries.withLock { entries in
            guard let entry = entries.first else { return nil }
            switch entry.count ?? 1 {
            case 0: break
            case 1: entries.removeFirst()
            case let count: entries[0].count = count - 1
            }
            return entry
        }
    }
}
