import Diagnosis
import Testing

/// `reports-watch.service` as it is shipped, with all that hardens it; only the time of its watchdog is shorter.
@Suite(
    "The shipped units, in a systemd",
    .enabled(if: SystemdRig.isPossible, "needs root, systemd and mountable cgroup2"))
struct ShippedServiceTests {
    @Test("'reports watch' becomes ready, and the unit says how many reports wait")
    func ready() async throws {
        let rig = try await SystemdRig.shared()
        #expect(try rig.fact("watch.active", of: "watch") == "active running")
        #expect(try rig.fact("watch.status.empty", of: "watch") == "nothing waits")
        #expect(try rig.fact("watch.status.one", of: "watch") == "1 waiting")
    }

    @Test("'systemctl reload' makes new settings count; with wrong ones it says so and goes on")
    func reload() async throws {
        let rig = try await SystemdRig.shared()
        #expect(try rig.fact("watch.wrong", of: "watch") == "active running 1 waiting")
        #expect(try rig.fact("watch.reloaded", of: "watch") == "active running")
        let messages = try rig.objects("watch.lines", of: "watch").map { JournalEntry($0).message }
        let wrong = try #require(messages.firstIndex { $0.hasSuffix("; the settings stay as they were") })
        let right = try #require(messages.firstIndex { $0 == "the settings are read again" })
        let delivered = try #require(messages.firstIndex { $0.hasPrefix("delivered ") })
        #expect(wrong < right && right < delivered)
    }

    @Test("the watchdog of systemd is answered: it lives on, without a restart")
    func watchdog() async throws {
        let rig = try await SystemdRig.shared()
        #expect(try rig.number("watch.signs", of: "watch") == 4)
        #expect(try rig.number("watch.lived", of: "watch") >= 5_000, "WatchdogSec=2")
        #expect(try rig.fact("watch.restarts", of: "watch") == "0 active")
    }

    @Test("a drop is at the server within a second")
    func delay() async throws {
        let rig = try await SystemdRig.shared()
        // The middle one of three: the machine is busy with tests.
        let delays = try (1...3).map { try rig.number("watch.delay.\($0)", of: "watch") }.sorted()
        #expect(delays[1] < 1_000, "\(delays)")
    }

    @Test("'systemctl stop' ends it well")
    func stop() async throws {
        let rig = try await SystemdRig.shared()
        // CLD_EXITED with status 0.
        #expect(try rig.fact("watch.stopped", of: "watch") == "success 1 0")
    }

    @Test("after stops and starts each report has been delivered once, and nothing is amiss")
    func nothingLost() async throws {
        let rig = try await SystemdRig.shared()
        #expect(try rig.fact("watch.doctor", of: "watch") == "0 " + ReportsTool.wellWords.dropLast())
        let reports = try rig.objects("watch.list", of: "watch")
        #expect(reports.allSatisfy { $0["state"]?.stringValue == "delivered" }, "\(reports)")
        let names = Set(reports.compactMap { $0["name"]?.stringValue })
        #expect(names.isSuperset(of: ["early", "timed-1", "timed-2", "timed-3", "both", "slow"]), "\(names)")
        let arrived = try rig.fact("deliveries", of: "watch").split(separator: "\n").map {
            $0.split(separator: "/").last.map(String.init)
        }
        #expect(arrived.map { $0 ?? "" }.sorted() == reports.compactMap { $0["id"]?.stringValue }.sorted())
    }

    @Test("the journal has the priority of each line, and no sign of the prefix that told it")
    func priorities() async throws {
        let rig = try await SystemdRig.shared()
        let entries = try rig.objects("watch.lines", of: "watch").map(JournalEntry.init)
        func priorities(_ part: String) -> Set<String?> {
            Set(entries.filter { $0.message.contains(part) }.map(\.priority))
        }
        #expect(priorities("reports are taken in, and none is sent") == ["4"])
        #expect(priorities("the settings stay as they were") == ["3"])
        #expect(priorities("taken in ") == ["6"] && priorities("delivered ") == ["6"])
        #expect(entries.allSatisfy { !$0.message.hasPrefix("<") && $0.identifier == "reports" }, "\(entries)")
    }

    @Test("with the timer enabled as well, its runs end well, and the service stays")
    func timer() async throws {
        let rig = try await SystemdRig.shared()
        // CLD_EXITED; 75 where the service has not let it in.
        let result = try rig.fact("timer.result", of: "watch")
        #expect(result == "success 1 0" || result == "success 1 75")
        #expect(try rig.fact("timer.watch", of: "watch") == "active")
    }

    @Test("while a run of the timer is at work the service waits, says so, and then takes over")
    func handover() async throws {
        let rig = try await SystemdRig.shared()
        #expect(try rig.fact("handover.before", of: "watch") == "activating activating")
        #expect(try rig.fact("handover.run", of: "watch") == "success")
        #expect(try rig.fact("handover.after", of: "watch") == "nothing waits")
    }
}
