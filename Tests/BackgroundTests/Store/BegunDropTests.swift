import Background
import DurableIO
import TestSupport
import Testing

/// What the ledger keeps of drops whose collecting was begun and not finished.
struct BegunDropTests {
    @Test("A begin is counted and open until the drop is a report, or its try is over")
    func tries() throws {
        try Self.withLedger { path, clock in
            let store = try TransferStore(path: path, clock: clock)
            try store.transaction { () throws in
                for name in ["a", "b"] { try store.begin(drop: name) }
            }
            clock.advance(by: 1_000)
            try store.transaction { () throws in
                try store.closeDrops()
                for name in ["a", "b"] { try store.begin(drop: name) }
                try store.failed(drop: "b")
            }
            let wall = clock.wallMilliseconds
            #expect(
                try store.queries.begunDrops() == [
                    "a": BegunDrop(name: "a", tries: 2, deaths: 0, isOpen: true, begunWall: wall),
                    // A try that was refused lacked no time.
                    "b": BegunDrop(name: "b", tries: 1, deaths: 0, isOpen: false, begunWall: wall),
                ])
            try store.transaction { () throws in
                try store.forget(drop: "a")
                try store.failed(drop: "b")
            }
            #expect(try store.queries.begunDrops().isEmpty)
            try store.close()
        }
    }

    @Test("After a death only a drop that was under way is blamed, or one that nothing is known of")
    func deaths() throws {
        try Self.withLedger { path, clock in
            let first = try TransferStore(path: path, clock: clock)
            try first.transaction { () throws in
                try first.begin(drop: "closed")
                try first.closeDrops()
                for name in ["open", "gone"] { try first.begin(drop: name) }
            }
            first.abandon()
            let second = try TransferStore(path: path, clock: clock)
            try second.transaction { () throws in try second.noteDeaths(among: ["open", "closed", "small"]) }
            let drops = try second.queries.begunDrops()
            #expect(drops.mapValues(\.deaths) == ["open": 1, "closed": 0, "small": 1])
            #expect(drops.values.allSatisfy { !$0.isOpen && $0.tries == 1 })
            second.abandon()
        }
    }

    @Test("A drop during which three processes died has as many deaths as make it poisonous")
    func poison() throws {
        try Self.withLedger { path, clock in
            for life in 1...PoisonPolicy.deathLimit {
                let store = try TransferStore(path: path, clock: clock)
                try store.transaction { () throws in
                    if store.earlierEnd != .none { try store.noteDeaths(among: ["a"]) }
                    try store.begin(drop: "a")
                }
                #expect(try store.queries.begunDrops()["a"]?.tries == life)
                store.abandon()
            }
            let last = try TransferStore(path: path, clock: clock)
            try last.transaction { () throws in try last.noteDeaths(among: ["a"]) }
            #expect(try last.queries.begunDrops()["a"]?.deaths == PoisonPolicy.deathLimit)
            try last.close()
        }
    }

    @Test("An orderly end is no death, whether or not the next life has to look for files", arguments: [false, true])
    func orderlyEnd(distrustsFiles: Bool) throws {
        try Self.withLedger { path, clock in
            let store = try TransferStore(path: path, clock: clock)
            try store.transaction { () throws in try store.begin(drop: "a") }
            if distrustsFiles { store.distrustFiles() }
            try store.close()
            let next = try TransferStore(path: path, clock: clock)
            #expect(next.earlierEnd == (distrustsFiles ? .unclean(isSameBoot: true) : .clean))
            try next.transaction { () throws in try next.noteDeaths(among: ["a"]) }
            let drop = try #require(try next.queries.begunDrops()["a"])
            #expect(drop.tries == 1 && drop.deaths == 0 && !drop.isOpen)
            try next.close()
        }
    }

    @Test("A ledger that is made of another's rows keeps what is known of begun drops")
    func salvage() throws {
        try Self.withLedger { path, clock in
            let damaged = try TransferStore(path: path, clock: clock)
            try damaged.transaction { () throws in
                try damaged.noteDeaths(among: ["a"])
                try damaged.begin(drop: "a")
            }
            damaged.abandon()
            let store = try TransferStore(path: path + ".new", clock: clock)
            _ = try store.salvage(from: path, lane: .main) { _, _ in 0 }
            let drop = try #require(try store.queries.begunDrops()["a"])
            #expect(drop.tries == 2 && drop.deaths == 1 && drop.isOpen)
            try store.close()
        }
    }

    private static func withLedger(_ body: (_ path: String, ManualClock) throws -> Void) throws {
        try withTemporaryDirectory { try body($0 + "/ledger.sqlite", ManualClock()) }
    }
}
