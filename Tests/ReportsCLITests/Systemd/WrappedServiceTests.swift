import Diagnosis
import Testing

/// Each test reads what it asks for from one boot, in which all scenarios ran (`Tests/Systemd/scenarios.sh`).
@Suite(
    "A service under reports-run, with the shipped drop-in, in a systemd",
    .enabled(if: SystemdRig.isPossible, "needs root, systemd and mountable cgroup2"))
struct WrappedServiceTests {
    @Test("a Type=notify service is active when its program says READY=1, and not before")
    func ready() async throws {
        let rig = try await SystemdRig.shared()
        #expect(try rig.fact("notify.child", of: "notify") == "other", "the unit's main process is the wrapper")
        #expect(try rig.fact("notify.before", of: "notify") == "activating")
        #expect(try rig.fact("notify.after", of: "notify") == "active")
    }

    @Test("what the program says of its state, the unit says")
    func status() async throws {
        let rig = try await SystemdRig.shared()
        #expect(try rig.fact("notify.status", of: "notify") == "the child is at work")
    }

    @Test("'systemctl stop' gives the program one SIGTERM; it ends well, and nothing is told of it")
    func stop() async throws {
        let rig = try await SystemdRig.shared()
        #expect(try rig.number("notify.requests", of: "notify") == 1)
        #expect(try rig.fact("notify.result", of: "notify") == "success")
        #expect(try rig.number("notify.told", of: "notify") == 0)
    }

    @Test("a program that answers the watchdog lives longer than WatchdogSec")
    func watchdog() async throws {
        let rig = try await SystemdRig.shared()
        #expect(try rig.fact("watchdog.meant", of: "watchdog") == "True", "WATCHDOG_PID is the program's own number")
        #expect(try rig.number("watchdog.lived", of: "watchdog") > 2_000, "WatchdogSec=1")
        #expect(try rig.fact("watchdog.alive", of: "watchdog") == "active")
    }

    @Test("one that hangs gets the watchdog's SIGABRT itself, and is told of once, with the stack of where it hung")
    func hang() async throws {
        let rig = try await SystemdRig.shared()
        #expect(try rig.fact("watchdog.result", of: "watchdog") == "watchdog")
        let incident = try rig.incident("watchdog", of: "watchdog")
        #expect(incident.cause == "signal")
        #expect(incident.crash["annotations"]?["run.signal"]?.stringValue == "SIGABRT")
        #expect(incident.crash["format"]?.stringValue == "python-faulthandler")
        #expect(incident.stderr.contains("the child hangs now\n") && incident.stderr.contains(" in pinging\n"))
    }

    @Test("a service that is killed with its wrapper is told of by the next run, once, and it is lost")
    func killed() async throws {
        let rig = try await SystemdRig.shared()
        #expect(try rig.number("killed.before", of: "killed") == 0, "nobody was left who could tell of it")
        let incident = try rig.incident("killed", of: "killed")
        #expect(incident.cause == "lost" && incident.document["cause"]?.stringValue == "lost")
        #expect(try rig.incident("killed-again", of: "killed").crash["id"] == incident.crash["id"])
    }

    @Test("a crash is told of with the unit, its invocation, and both ends of what the journal has of standard error")
    func crash() async throws {
        let rig = try await SystemdRig.shared()
        #expect(try rig.fact("crash.result", of: "crashing") == "signal 11", "the unit ends as the program did")
        let incident = try rig.incident("crash", of: "crashing")
        #expect(incident.document["unit"]?.stringValue == "crashing.service")
        #expect(incident.document["invocation_id"]?.stringValue?.utf8.count == 32)
        #expect(incident.document["memory"]?["cgroup"]?.stringValue == "/system.slice/crashing.service")
        let stderr = incident.document["stderr"]
        #expect(stderr?["head"]?.stringValue?.hasPrefix("Fatal Python error: Segmentation fault\n") ?? false)
        #expect(stderr?["tail"]?.stringValue?.hasPrefix("first words of the child\na warning of the child\n") ?? false)
    }

    @Test("standard error stays the journal's where it can be read back: a line has the program's number and the name")
    func journal() async throws {
        let rig = try await SystemdRig.shared()
        let entries = try rig.objects("crash.lines", of: "crashing").map(JournalEntry.init)
        let program = try rig.incident("crash", of: "crashing").document["program"]?["pid"]?.integerValue
        let number = try #require(program)
        #expect(entries.count >= 3 && entries.first?.message == "first words of the child")
        #expect(entries.allSatisfy { $0.identifier == "crashing" && $0.process == "\(number)" }, "\(entries)")
    }

    @Test(
        "one that the kernel kills for want of memory is told of with that cause",
        .enabled(if: SystemdRig.limitsMemory, "needs the memory controller of cgroup2"))
    func memory() async throws {
        let rig = try await SystemdRig.shared()
        #expect(try rig.incident("memory", of: "greedy").cause == "oom")
    }

    @Test("a service of another user drops into the spool of the machine, and its crash reaches the server")
    func guest() async throws {
        let rig = try await SystemdRig.shared()
        let incident = try rig.sentIncident("guest")
        #expect(incident.cause == "signal" && incident.crash["format"]?.stringValue == "python-faulthandler")
        #expect(incident.crash["annotations"]?["drop.uid"]?.stringValue == "990")
        // It may not read the journal, so that its lines are copied on their way there.
        #expect(incident.stderr.contains("first words of the child\n") && incident.stderr.contains("last words"))
        let entries = try rig.objects("guest.lines", of: "watch").map(JournalEntry.init)
        #expect(entries.contains { $0.message == "last words of the child" })
        #expect(entries.allSatisfy { $0.identifier == "guest" }, "\(entries)")
    }

    @Test("so does one of root's")
    func root() async throws {
        let rig = try await SystemdRig.shared()
        let incident = try rig.sentIncident("keeper")
        #expect(incident.cause == "signal" && incident.stderr.contains("last words of the child\n"))
    }

    @Test("the owner tells of a killed service of another user at once; of one of root's, the next start tells")
    func left() async throws {
        let rig = try await SystemdRig.shared()
        for service in ["slain", "steward"] {
            #expect(try rig.sentIncident(service).cause == "lost", "\(service)")
        }
    }
}
