import Foundation
import Hummingbird
import Synchronization

/// What reporters have sent since the server started, in memory only.
///
/// Looking at the collector (GET) and scripting it is not counted.
final class RequestLog: Sendable {
    struct Entry: Encodable, Sendable {
        /// When the head of the request had arrived, RFC 3339 in UTC with milliseconds.
        var time: String
        var method: String
        var path: String
        /// The status answered; 0 when the connection was lost before there was one.
        var status: Int
    }

    struct Summary: Encodable, Sendable {
        var total = 0
        /// Requests by the status answered.
        var byStatus: [String: Int] = [:]
        /// The last 100 requests in the order of their answers, the newest last.
        var recent: [Entry] = []

        private enum CodingKeys: String, CodingKey {
            case total
            case byStatus = "by_status"
            case recent
        }
    }

    private static let recentLimit = 100

    private let state = Mutex(Summary())

    func summary() -> Summary {
        state.withLock { $0 }
    }

    func record(_ entry: Entry) {
        state.withLock { state in
            state.total += 1
            state.byStatus[String(entry.status), default: 0] += 1
            state.recent.append(entry)
            if state.recent.count > Self.recentLimit {
                state.recent.removeFirst()
            }
        }
    }
}

/// Enters every request of a reporter into the log and turns errors into answers.
struct RequestRecorder: RouterMiddleware {
    typealias Context = BasicRequestContext

    let log: RequestLog

    func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var entry = RequestLog.Entry(
            time: Date().timestamp,
            method: request.method.rawValue,
            path: request.uri.path,
            status: 0)
        let isCounted = request.method != .get && request.uri.path != "/script"
        defer {
            if isCounted {
                log.record(entry)
            }
        }
        let response = try await respond(to: request, context: context, next: next)
        entry.status = response.status.code
        return response
    }

    private func respond(
        to request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as any HTTPResponseError {
            return try error.response(from: request, context: context)
        } catch let error as StorageError {
            // The paths are for the log only. 507 (disk full) and 500 both mean "not now" to a reporter.
            context.logger.error("Report not stored", metadata: ["error": "\(error)"])
            let status: HTTPResponse.Status =
                error.isDiskFull ? .init(code: 507, reasonPhrase: "Insufficient Storage") : .internalServerError
            return try Problem(status: status, check: "storage", detail: "The report could not be stored.")
                .response(from: request, context: context)
        }
    }
}

extension Date {
    /// This time as RFC 3339 in UTC with milliseconds.
    var timestamp: String {
        formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
