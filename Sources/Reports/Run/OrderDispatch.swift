import Background
import DurableIO

/// Carries `retry` and `remove` out: at once when nobody owns the spool, else by an order to the process that does.
package struct OrderDispatch {
    private let spool: ReportSpool

    package init(spool: ReportSpool) {
        self.spool = spool
    }

    /// Takes full ids; `nil` is all that are parked, held or waiting.
    /// - Returns: the ids it was done for, or asked for.
    package func carryOut(_ action: Order.Action, ids: [String]?) async throws -> [String] {
        try await SpoolErrors.explaining { try await carryOutOrFile(action, ids: ids) }
    }

    private func carryOutOrFile(_ action: Order.Action, ids: [String]?) async throws -> [String] {
        let filedAt = spool.clock.wallMilliseconds
        guard let owner = try await SpoolOwner.become(of: spool, SpoolOwner.Configuration(destination: nil)) else {
            let filed = try file(action, ids: ids, at: filedAt)
            // The owner may have looked for the last time before the order was there.
            if let owner = try await SpoolOwner.become(of: spool, SpoolOwner.Configuration(destination: nil)) {
                try await bringInPublished(as: owner)
            }
            return filed
        }
        do {
            let done = try await carryOut(action, ids: ids, as: owner)
            try await owner.keepLimits()
            try await owner.resign()
            return done
        } catch {
            await owner.abandon()
            throw error
        }
    }

    private func carryOut(
        _ action: Order.Action, ids: [String]?, as owner: SpoolOwner
    ) async throws -> [String] {
        // What was added a moment ago can be meant, too.
        try await Intake(owner).bringInPublished()
        let actions = OrderActions(spool: spool, queue: owner.queue, sender: owner.sender)
        let chosen: [String]
        if let ids { chosen = ids } else { chosen = try await actions.retryable() }
        var done: [String] = []
        for id in chosen {
            switch action {
            case .retry: if try await actions.retry(id) { done.append(id) }
            case .remove:
                guard try await actions.remove(id, filedAt: .max) else {
                    throw ReportsError(
                        .cannotWrite,
                        "\(id) is not removed: it lies in collected/ and could not be taken in, see 'reports doctor'")
                }
                done.append(id)
            }
        }
        return done
    }

    private func bringInPublished(as owner: SpoolOwner) async throws {
        do {
            try await Intake(owner).bringInPublished()
            try await owner.keepLimits()
            try await owner.resign()
        } catch {
            await owner.abandon()
            throw error
        }
    }

    private func file(_ action: Order.Action, ids: [String]?, at filedAt: Int64) throws -> [String] {
        let producer = ReportProducer(spool: spool)
        guard let ids else {
            try producer.file(Order(action, id: nil, filedAt: filedAt))
            return []
        }
        for id in ids { try producer.file(Order(action, id: id, filedAt: filedAt)) }
        return ids
    }
}
