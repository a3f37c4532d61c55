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

    /// Does what the beginning of an explicit drive does, because a person asks for a try while another process drives.
    /// - Throws: the errors of the ledger.
    package func probe() async throws {
        try await wakeProbes(of: routes())
        try await probeClosedGates()
    }

    /// Has each closed gate probed once during a drive.
    ///
    /// What is due then is durable on return: a reader sees that there is something to send until the drive has claimed
    /// it. A gate that is closed until a time that the server named stays closed, and a row that rests
    /// (``TransferStore/probeCandidate(lane:)``) stays where it is.
    /// - Parameter lanes: whose gates are meant. The default, `nil`, is those of all lanes.
    /// - Throws: the errors of the ledger.
    package func probeClosedGates(of lanes: Set<Lane>? = nil) async throws {
        var probed: Set<String> = []
        for route in try routes() where lanes?.contains(route.lane) ?? true && isClosedByTrouble(route.origin) {
            // Lanes that lead to one gate share its probe.
            guard !probed.contains(route.origin), try store.hasProbeCandidate(lane: route.lane) else { continue }
            probed.insert(route.origin)
            let row = try await committing { store -> Int64? in
                let (origin, now) = (route.origin, store.now)
                let record = shared.withLock { $0.plan.madeProbeDue(at: origin, now: now) }
                if let record { try store.save(record) }
                guard try !store.queries.hasDue(by: now, lane: route.lane) else { return nil }
                return try store.wakeOneForProbe(lane: route.lane)
            }
            if let row { shared.withLock { $0.plan.madeDue(probe: row) } }
        }
        wake()
    }

    private func isClosedByTrouble(_ origin: String) -> Bool {
        switch gate(of: origin).closure {
        case .backingOff, .held: true
        case .asked, nil: false
        }
    }

    /// Allows one probe of each closed gate, because a person or program has asked for this drive and the trouble may
    /// be over.
    func allowExplicitProbes() async throws {
        let routes = try routes()
        let origins = Set(configuration.destinations.values).union(routes.map(\.origin))
        shared.withLock { $0.plan.allowedProbes(at: origins) }
        try await wakeProbes(of: routes)
    }

    private func wakeProbes(of routes: [Route]) async throws {
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
