import Background
import DurableIO

@testable import Reports

extension SpoolHarness {
    func list(_ selection: SpoolInspector.Selection = SpoolInspector.Selection()) throws -> [ReportView] {
        var views: [ReportView] = []
        try SpoolInspector(spool: spool).forEachReport(selection) { views.append($0) }
        return views
    }

    func groups(_ selection: SpoolInspector.Selection = SpoolInspector.Selection()) throws -> [ReportGroup] {
        var groups: [ReportGroup] = []
        try SpoolInspector(spool: spool).forEachGroup(selection) { groups.append($0) }
        return groups
    }

    /// A crash whose signature follows from the function.
    static func crash(in function: String, _ detail: String = "") -> String {
        """
        panic: runtime error: index out of range [5] with length 3 \(detail)

        goroutine 1 [running]:
        main.\(function)(0x1)
        \t/src/main.go:10 +0x1d
        main.main()
        \t/src/main.go:5 +0x20
        exit status 2

        """
    }

    /// A crash that was taken in, and then brought into a state. Its bytes go where the state wants them.
    @discardableResult
    func takeCrash(
        in function: String, _ detail: String = "", annotations: [String: String] = [:],
        as state: TransferState = .queued, reason: EndReason = .rejected
    ) async throws -> ContentHash {
        let id = try add(Self.crash(in: function, detail), kind: nil, annotations: annotations)
        try await takeIn()
        if state != .queued {
            try await change { store in try store.end(id.hex, as: state, reason: reason) }
            try spool.release(id, as: state)
        }
        clock.advance(by: 1_000)
        return id
    }
}
