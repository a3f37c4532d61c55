import Background
import DurableIO
import Foundation
import Reports
import TestSupport

extension SpoolHarness {
    /// Leaves a drop in `taken/` as owners do that died over it, or whose runs ended before it was collected.
    /// - Returns: its path in the spool.
    @discardableResult
    func begin(
        _ name: String, nonce: String = "0123456789abcdef", deaths: Int = 0, cuts: Int = 0
    ) async throws -> String {
        let known = DropZone(spool: spool).takenMarks()
        let entry = "\(nonce).\(name)"
        try whileNothingStarts {
            try Data("\(nonce) \(name)".utf8).write(to: URL(fileURLWithPath: "\(path)/taken/\(entry)"))
        }
        let marks = DropZone(spool: spool).takenMarks()
        try await change { store in
            for mark in marks.subtracting(known) {
                for _ in 0..<deaths {
                    try store.begin(drop: mark)
                    try store.noteDeaths(among: marks)
                }
                for _ in 0..<cuts {
                    try store.begin(drop: mark)
                    try store.closeDrops()
                }
            }
        }
        return "taken/" + entry
    }

    /// How many drops the ledger knows as begun and not finished.
    func begunCount() async throws -> Int {
        let store = try TransferStore(path: "\(path)/ledger.sqlite", clock: clock)
        defer { store.abandon() }
        return try store.queries.begunDrops().count
    }
}
