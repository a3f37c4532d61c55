import Diagnosis
import Foundation
import TestSupport
import Testing

/// One service in three versions on two machines, which crashes in four ways: what each machine's list and the server
/// tell of it.
@Suite("A fleet and its crashes", .timeLimit(.minutes(10)))
struct FleetTests {
    private static let versions = ["2.1", "2.9", "2.10"]
    private static let crashCount = 500

    /// The ways to crash, in four languages. Each crash differs from the others in what differs between two crashes of
    /// one fault: process, addresses, values, times.
    private static let ways: [@Sendable (Int) -> String] = [
        { number in
            """
            INFO order \(number) comes in
            Traceback (most recent call last):
              File "/srv/shop/app.py", line 12, in serve
                checkout(\(number))
              File "/srv/shop/checkout.py", line 3, in checkout
                raise ValueError(f"order {order}")
            ValueError: order \(number)

            """
        },
        { number in
            """
            thread 'worker-\(number)' panicked at src/cart.rs:31:9:
            index out of bounds: the len is 3 but the index is \(number)
            stack backtrace:
               0: rust_begin_unwind
               1: core::panicking::panic_fmt
               2: shop::cart::total
                         at /srv/shop/src/cart.rs:31:9
               3: shop::main
                         at /srv/shop/src/main.rs:4:5

            """
        },
        { number in
            """
            panic: runtime error: invalid memory address or nil pointer dereference
            [signal SIGSEGV: segmentation violation code=0x1 addr=0x\(String(number, radix: 16)) pc=0x4b5a2c]

            goroutine \(number) [running]:
            main.(*Till).Pay(0x0, 0xc00001\(String(number, radix: 16)))
            \t/srv/shop/till.go:\(20) +0x1c
            main.main()
            \t/srv/shop/main.go:9 +0x2a

            """
        },
        { number in
            """
            Uncaught Error: order \(number)
            /srv/shop/server.js:7
                throw new Error(`order ${order}`);
                ^

            Error: order \(number)
                at ship (/srv/shop/server.js:7:11)
                at Object.<anonymous> (/srv/shop/server.js:12:1)
                at Module._compile (node:internal/modules/cjs/loader:1554:14)

            Node.js v22.14.0

            """
        },
    ]

    /// What is told of one fault on one machine.
    private struct Story: Hashable {
        var count = 0
        var versions: Set<String> = []
    }

    @Test("each machine's groups and the server's own list tell the same story")
    func story() async throws {
        try await withTool(server: .accepting) { tool, server in
            var generator = SeededGenerator(seed: 18)
            var machines: [ReportsTool] = []
            for name in ["north", "south"] {
                var machine = tool
                machine.spool = "\(tool.home)/\(name)"
                machine.environment["REPORTS_SPOOL"] = machine.spool
                machine.environment["REPORTS_ANNOTATIONS"] = "machine=\(name)"
                for version in Self.versions {
                    try FileManager.default.createDirectory(
                        atPath: "\(machine.spool)/incoming/shop@\(version)", withIntermediateDirectories: true)
                }
                machines.append(machine)
            }
            var written: [String: [Int: Story]] = [:]
            for number in 0..<Self.crashCount {
                let machine = machines[Int.random(in: 0..<machines.count, using: &generator)]
                let (way, version) = (
                    Int.random(in: 0..<Self.ways.count, using: &generator),
                    Self.versions[Int.random(in: 0..<Self.versions.count, using: &generator)]
                )
                try machine.drop(Self.ways[way](number), as: "shop@\(version)/crash-\(number).txt")
                written[machine.spool, default: [:]][way, default: Story()].count += 1
                written[machine.spool, default: [:]][way, default: Story()].versions.insert(version)
            }
            for machine in machines {
                #expect(try await machine.summary(to: server).count("delivered") != 0)
            }
            let told = try stories(of: server)
            for machine in machines {
                let listed = try await stories(of: machine)
                let name = String(machine.spool.split(separator: "/").last ?? "")
                #expect(listed == told[name])
                #expect(listed.count == Self.ways.count)
                #expect(Set(listed.values) == Set(written[machine.spool, default: [:]].values))
            }
            #expect(Set(told["north", default: [:]].keys) == Set(told["south", default: [:]].keys))
        }
    }

    /// What a machine lists.
    private func stories(of machine: ReportsTool) async throws -> [String: Story] {
        var stories: [String: Story] = [:]
        for group in try await machine.objects("list", "--group") {
            #expect(group["services"]?.arrayValue?.map(\.stringValue) == ["shop"])
            #expect(group["states"]?.count("delivered") == group.count("count"))
            let versions = group["versions"]?.arrayValue?.compactMap(\.stringValue) ?? []
            #expect(versions == Self.versions.filter(versions.contains))
            stories[group["signature"]?.stringValue ?? ""] = Story(
                count: Int(group.count("count") ?? 0), versions: Set(versions))
        }
        return stories
    }

    /// What the server knows, by machine.
    private func stories(of server: LoopbackServer) throws -> [String: [String: Story]] {
        var stories: [String: [String: Story]] = [:]
        for request in server.requests {
            let annotations = Self.annotations(request.headers["Report-Annotations"] ?? "")
            #expect(annotations["service"] == "shop")
            let signature = try #require(request.headers["Report-Signature"])
            let machine = try #require(annotations["machine"])
            stories[machine, default: [:]][signature, default: Story()].count += 1
            stories[machine, default: [:]][signature, default: Story()].versions.insert(
                try #require(annotations["version"]))
        }
        return stories
    }

    /// Reads a dictionary of structured fields whose values are texts without quotes in them (RFC 9651).
    private static func annotations(_ field: String) -> [String: String] {
        var annotations: [String: String] = [:]
        for member in field.split(separator: ", ") {
            guard let mark = member.firstIndex(of: "=") else { continue }
            annotations[String(member[..<mark])] = member[member.index(after: mark)...]
                .trimmingCharacters(in: ["\""])
        }
        return annotations
    }
}
