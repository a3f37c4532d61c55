/// A server for uploads that remembers what it was sent, so that one test can be run against several.
package protocol RecordingServer: Sendable {
    /// The port of 127.0.0.1 that it listens on, the same after each restart.
    var port: UInt16 { get }

    /// What has happened so far, before restarts as well.
    var record: ServerRecord { get }

    /// Returns once the condition holds, the server has been stopped, or the task is cancelled.
    func wait(until condition: @escaping @Sendable (ServerRecord) -> Bool) async

    /// Returns once no connection is open and the server knows it, it has been stopped, or the task is cancelled.
    func waitForNoConnections() async

    /// Closes every connection and returns when all threads have ended. May be called twice.
    func stop()
}

/// What a server has seen.
package struct ServerRecord: Sendable {
    /// All requests, each from the moment its head was read; how much of its body has come is kept up to date.
    package var requests: [ReceivedRequest] = []
    /// What the application took for a report, as often as it did so.
    package var reports: [ReceivedReport] = []
    /// Reports that the application had begun to receive and that will never be completed, with the reason in words.
    package var abandoned: [String] = []
    /// The connections so far; with a ``DraftResumableServer`` those on which there was a request.
    package var connectionCount = 0
    package var isStopped = false
}

extension RecordingServer {
    /// The address of a path, for instance `http://127.0.0.1:40123/reports`; the path is empty or begins with a slash.
    package func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    package var requests: [ReceivedRequest] { record.requests }

    package var reports: [ReceivedReport] { record.reports }

    /// The reports with an idempotency key, given as the field's value.
    package func reports(withKey key: String) -> [ReceivedReport] {
        reports.filter { $0.headers["Idempotency-Key"] == key }
    }

    /// Returns once so many requests have begun, with all there are.
    @discardableResult
    package func waitForRequests(count: Int) async -> [ReceivedRequest] {
        await wait { $0.requests.count >= count || $0.isStopped }
        return requests
    }

    /// Returns once the application has so many reports, with all there are.
    @discardableResult
    package func waitForReports(count: Int) async -> [ReceivedReport] {
        await wait { $0.reports.count >= count || $0.isStopped }
        return reports
    }

    /// Returns once so many reports have been abandoned, with all reasons.
    @discardableResult
    package func waitForAbandoned(count: Int) async -> [String] {
        await wait { $0.abandoned.count >= count || $0.isStopped }
        return record.abandoned
    }
}
