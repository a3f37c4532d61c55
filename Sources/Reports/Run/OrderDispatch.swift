import Background
package import DurableIO

/// Carries out a person's `retry` or `remove`: immediately when no process owns the spool, otherwise by an order to the
/// owner. A `submit` that finds an owner orders a try (``orderTry()``).
package struct OrderDispatch {
    private let spool: ReportSpool
    private let routing: Routing?
    /// Called when another process owns the spool, and is asked by an order.
    package var onOrder: @Sendable (_ owner: LockHolder?) -> Void = { _ in }

    /// - Parameters:
    ///   - spool: the spool.
    ///   - routing: the destinations by which it is decided anew where a retried report goes. With the default, `nil`,
    ///     it goes where it went.
    package init(spool: ReportSpool, routing: Routing? = nil) {
        self.spool = spool
        self.routing = routing
    }

    /// Carries out an action, or files an order for the owner to carry it out.
    /// - Returns: the targets for which the action was done or ordered; an order about `.all` names no targets.
    package func carryOut(_ action: Order.Action, on targets: [Order.Target]) async throws -> [Order.Target] {
        try await SpoolErrors.explaining { try await carryOutOrFile(action, targets) }
    }

    private func carryOutOrFile(
        _ action: Order.Action, _ targets: [Order.Target]
    ) async throws -> [Order.Target] {
        let filedAt = spool.clock.wallMilliseconds
        guard let owner = try await SpoolOwner.become(of: spool, SpoolOwner.Configuration(destination: nil)) else {
            let filed = try file(action, targets, at: filedAt)
            onOrder(OwnerLock.holder(LedgerPlace.lockName, in: spool.root, clock: spool.clock))
            // The owner may have looked for orders for the last time before this order was filed.
            if let owner = try await SpoolOwner.become(of: spool, SpoolOwner.Configuration(destination: nil)) {
                try await bringInPublished(as: owner)
            }
            return filed
        }
        do {
            let done = try await carryOut(action, on: targets, as: owner)
            try await owner.keepLimits()
            try await owner.resign()
            return done
        } catch {
            await owner.abandon()
            throw error
        }
    }

    private func carryOut(
        _ action: Order.Action, on targets: [Order.Target], as owner: SpoolOwner
    ) async throws -> [Order.Target] {
        // The person may mean a report that a producer published a moment ago.
        try await Intake(owner).bringInPublished()
        let actions = try OrderActions(
            spool: spool, queue: owner.queue, sender: owner.sender, router: routing.map { try Router($0) })
        var chosen = targets
        if targets.contains(.all) {
            chosen = try await actions.retryable().map { .report($0) } + actions.poisonousDrops().map { .drop($0) }
        }
        var done: [Order.Target] = []
        for target in chosen {
            switch (action, target) {
            case (.retry, .report(let id)): if try await actions.retry(id) { done.append(target) }
            case (.retry, .drop(let place)): if try await actions.retry(place) { done.append(target) }
            case (.remove, .drop(let place)): if try await actions.remove(place) { done.append(target) }
            case (.remove, .report(let id)):
                guard try await actions.remove(id, filedAt: .max) else {
                    throw ReportsError(
                        .cannotWrite,
                        "\(id) is not removed: it lies in collected/ and could not be taken in, see 'reports doctor'")
                }
                done.append(target)
            case (.submit, _), (_, .all): break
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

    /// Orders the owner to try what a submit would try.
    /// - Returns: the name of the order, by which the caller may take it back.
    /// - Throws: ``ReportsError`` when it cannot be written.
    func orderTry() throws -> EntryName {
        do {
            return try file(Order(.submit, .all, filedAt: spool.clock.wallMilliseconds))
        } catch {
            throw ReportProducer.explain(error, "request")
        }
    }

    private func file(_ order: Order) throws -> EntryName {
        let name = Order.newName()
        let publication = try spool.newPublication()
        try publication.write(order.bytes)
        _ = try publication.publish(as: name, in: spool.collected)
        return name
    }

    private func file(_ action: Order.Action, _ targets: [Order.Target], at filedAt: Int64) throws -> [Order.Target] {
        do {
            for target in targets { _ = try file(Order(action, target, filedAt: filedAt)) }
        } catch {
            throw ReportProducer.explain(error, "request")
        }
        return targets.filter { $0 != .all }
    }
}
