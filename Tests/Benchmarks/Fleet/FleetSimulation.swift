import Background
import Glibc

/// Simulates a fleet whose server was away for an hour, under a virtual clock. Prints one line of JSON.
///
/// Every decision about waiting is made by the engine's own policies: `RetryPolicy`, `OriginGate` and what they are
/// made of. Only the queue around them is played here: which transfers are due, and when somebody looks.
@main
struct FleetSimulation {
    static func main() throws {
        guard let options = Options(CommandLine.arguments.dropFirst()) else {
            print("usage: FleetSimulation [--clients N] [--seed N] [--scenario KEY] [--cap SECONDS]")
            exit(64)  // EX_USAGE
        }
        var scenarios = Scenario.all
        if let key = options.scenario { scenarios = scenarios.filter { $0.key == key } }
        let results = scenarios.map { scenario in
            var world = World(
                scenario: scenario, policy: options.policy, clientCount: options.clientCount, seed: options.seed)
            world.run()
            return world.result.json
        }
        let capacity = World.capacityPerClient * Double(options.clientCount)
        print("{\"clients\": \(options.clientCount), \"capacity\": \(capacity), \"scenarios\": [")
        print(results.joined(separator: ",\n"))
        print("]}")
    }
}

private struct Options {
    var clientCount = 100_000
    var seed: UInt64 = 1
    var scenario: String?
    /// The engine's, unless another is asked for to see what it would do.
    var policy = RetryPolicy()

    init?(_ arguments: ArraySlice<String>) {
        var rest = arguments
        while let argument = rest.popFirst() {
            guard let value = rest.popFirst() else { return nil }
            switch argument {
            case "--clients":
                guard let count = Int(value), count > 0 else { return nil }
                clientCount = count
            case "--seed":
                guard let seed = UInt64(value) else { return nil }
                self.seed = seed
            case "--scenario":
                scenario = value
            case "--cap":
                guard let seconds = Int64(value), seconds > 0 else { return nil }
                policy.cap = seconds * 1_000
            default: return nil
            }
        }
    }
}
