import Foundation
import TestSupport
import Testing

extension Deliveries {
    /// The id a request carries.
    static func key(of request: ReceivedRequest) -> String {
        String((request.headers["Idempotency-Key"] ?? "").dropFirst().dropLast())
    }
}

/// What holds of a spool once all troubles are over, whatever they were.
///
/// Everything accepted is at the server under its own id, nothing is left on the way except `rooms`, and `doctor` finds
/// nothing.
func expectAllDelivered(
    _ accepted: Set<String>, _ tool: ReportsTool, _ server: LoopbackServer, _ circumstances: String,
    rooms: Set<String> = []
) async throws {
    // A transfer that looked like poison waits for its hour; a person may say otherwise.
    _ = try await tool.run("retry", "--all")
    let last = try await tool.submit(to: server)
    #expect(last.status == 0, "\(circumstances): \(last.output) \(last.errors)")
    // Before a large report the server is asked whether it takes reports in parts; that brings none.
    let complete = server.requests.filter { $0.isComplete && $0.method != "OPTIONS" }
    let delivered = Set(complete.map(Deliveries.key))
    #expect(accepted.isSubset(of: delivered), "\(circumstances): lost \(accepted.subtracting(delivered))")
    for request in complete { #expect(request.target == "/" + Deliveries.key(of: request)) }
    for room in ["tmp", "taken", "collected", "queued", "incoming"] {
        let left = tool.allFiles().filter { $0.hasPrefix(room + "/") && !rooms.contains($0) }
        #expect(left == [], "\(circumstances): left in \(room)")
    }
    let doctor = try await tool.run("doctor")
    #expect(doctor.status == 0, "\(circumstances): \(doctor.output)")
}
