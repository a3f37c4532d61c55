/// The lanes of a run, and the origins they lead to.
extension TransferQueue {
    /// A lane, and the origin whose gate its rows go through.
    struct Route: Hashable {
        let lane: Lane
        let origin: String
    }

    /// The lanes with rows for this run to send: first the lanes of destinations, then the lanes of reports with a
    /// request of their own (``Lane``).
    func routes() throws -> [Route] {
        let routes = try store.queries.liveLanes().compactMap { lane in
            (lane.ownOrigin ?? configuration.destinations[lane]).map { Route(lane: lane, origin: $0) }
        }
        return routes.filter { $0.lane.ownOrigin == nil } + routes.filter { $0.lane.ownOrigin != nil }
    }

    /// Stores where each lane leads. Readers of the ledger need it to find the gate that a lane's rows wait for.
    func saveLanes() async throws {
        let changed = configuration.destinations.filter { storedLanes[$0.key] != $0.value }
        guard !changed.isEmpty else { return }
        try await committing { store in
            for (lane, origin) in changed { try store.save(lane, leadsTo: origin) }
        }
        storedLanes.merge(changed) { $1 }
    }

    /// Allows one probe of each closed gate, because a person or program has asked for this drive and the trouble may
    /// be over.
    func allowExplicitProbes() async throws {
        let routes = try routes()
        let origins = Set(configuration.destinations.values).union(routes.map(\.origin))
        shared.withLock { $0.plan.allowedProbes(at: origins) }
        for route in routes {
            // Behind an open gate, single rows may still be held, and the reason may be over. Other rows may be stored
            // as unreachable. The gate of this origin is open, so these rows failed while the lane led to another
            // origin.
            // Most often there are no such rows, and then nothing is committed.
            guard gate(of: route.origin).closure == nil, try store.probeCandidate(lane: route.lane) != nil
            else { continue }
            let row = try await committing { store in
                try store.wakeUnreachable(lane: route.lane)
                return try store.wakeOneForProbe(lane: route.lane)
            }
            if let row { shared.withLock { $0.plan.madeDue(probe: row) } }
        }
    }
}
