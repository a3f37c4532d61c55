/// Which lanes there are, and to which origins they lead.
extension TransferQueue {
    /// A lane, and the origin whose gate its rows go through.
    struct Route: Hashable {
        let lane: Lane
        let origin: String
    }

    /// The lanes that have something for this run to send: first the destinations', then those that name their origin.
    func routes() throws -> [Route] {
        let routes = try store.queries.liveLanes().compactMap { lane in
            (lane.ownOrigin ?? configuration.destinations[lane]).map { Route(lane: lane, origin: $0) }
        }
        return routes.filter { $0.lane.ownOrigin == nil } + routes.filter { $0.lane.ownOrigin != nil }
    }

    /// Readers ask where a lane leads, to know which gate its rows wait for.
    func saveLanes() async throws {
        let changed = configuration.destinations.filter { storedLanes[$0.key] != $0.value }
        guard !changed.isEmpty else { return }
        try await committing { store in
            for (lane, origin) in changed { try store.save(lane, leadsTo: origin) }
        }
        storedLanes.merge(changed) { $1 }
    }

    /// Somebody asked for this drive: what was closed by failure or for a reason may be over.
    func allowExplicitProbes() async throws {
        let routes = try routes()
        let origins = Set(configuration.destinations.values).union(routes.map(\.origin))
        shared.withLock { $0.plan.allowedProbes(at: origins) }
        for route in routes {
            // Where the gate is open, what single transfers are held for may be over, too; and what was unreachable is
            // not so here: it waits for an origin that was the destination before.
            // Most often there is no such thing, and then no commit.
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
