import Synchronization

/// Somebody's wait for a transfer's end.
final class TransferTicket: Sendable {
    private struct State {
        var outcome: TransferOutcome?
        var waiter: CheckedContinuation<Void, Never>?
        var isCancelled = false
    }

    /// Of the row; `nil` for a wait that only the session's end ends.
    let rowName: String?
    /// The face that waits.
    let holder: ObjectIdentifier
    private let state = Mutex(State())

    init(rowName: String?, holder: ObjectIdentifier) {
        self.rowName = rowName
        self.holder = holder
    }

    /// What it ended with, if it has.
    var outcome: TransferOutcome? { state.withLock(\.outcome) }

    func end(_ outcome: TransferOutcome) {
        signal { $0.outcome = $0.outcome ?? outcome }
    }

    /// - Returns: `nil` when the task was cancelled first.
    func wait() async -> TransferOutcome? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.outcome != nil || state.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            signal { $0.isCancelled = true }
        }
        return outcome
    }

    private func signal(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}

/// All waits of a session.
final class TicketOffice: Sendable {
    private let tickets = Mutex<[String?: [TransferTicket]]>([:])

    /// Registers a wait for a transfer, or, without one, for the session's end.
    func ticket(for rowName: String?, holder: ObjectIdentifier) -> TransferTicket {
        let ticket = TransferTicket(rowName: rowName, holder: holder)
        tickets.withLock { $0[rowName, default: []].append(ticket) }
        return ticket
    }

    func giveBack(_ ticket: TransferTicket) {
        tickets.withLock { tickets in
            tickets[ticket.rowName]?.removeAll { $0 === ticket }
            if tickets[ticket.rowName]?.isEmpty == true { tickets[ticket.rowName] = nil }
        }
    }

    /// Ends the waits for one transfer.
    func end(_ rowName: String, _ outcome: TransferOutcome) {
        let ended = tickets.withLock { $0.removeValue(forKey: rowName) ?? [] }
        for ticket in ended { ticket.end(outcome) }
    }

    /// Ends every wait, or those of one face.
    func endAll(of holder: ObjectIdentifier?, _ error: NetworkResponseError) {
        let ended = tickets.withLock { tickets in
            let ended = tickets.values.joined().filter { holder == nil || $0.holder == holder }
            for ticket in ended { tickets[ticket.rowName]?.removeAll { $0 === ticket } }
            tickets = tickets.filter { !$0.value.isEmpty }
            return ended
        }
        for ticket in ended { ticket.end(.failed(error)) }
    }
}
