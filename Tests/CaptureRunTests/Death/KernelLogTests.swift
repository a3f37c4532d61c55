import Foundation
import Glibc
import TestSupport
import Testing

@testable import CaptureRun

@Suite("What the kernel's log says of a death")
struct KernelLogTests {
    /// The line about process 27 in a log of these records, of which each is a text or has a prefix.
    private func line(_ records: [String], name: String = "shopd", since start: Int? = nil) throws -> KernelLine? {
        try withTemporaryDirectory { home in
            let now = Int(MonotonicTime.now)
            let lines = records.enumerated().map { index, record in
                record.contains(";") ? record : "6,\(index),\(now)000,-;\(record)\n SUBSYSTEM=x\n DEVICE=+x\n"
            }
            try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: home + "/kmsg"))
            return KernelLog.line(about: 27, name: name, since: start ?? now, path: home + "/kmsg")
        }
    }

    @Test(
        "a fault of the process is no kill for want of memory, whatever it is called",
        arguments: [
            "NAME[27]: segfault at 0 ip 0000 sp 0000 error 6 in NAME[1000,2000]",
            "traps: NAME[27] trap invalid opcode ip:7f sp:7f error:0 in lib.so[16df7f,7f1e97c00000+5d3000]",
            "NAME[27]: unhandled level 1 translation fault (11) at 0x0",
        ], ["shopd", "drill"])
    func faults(text: String, name: String) throws {
        let text = text.replacing("NAME", with: name)
        #expect(try line(["other[26]: x", text, "other[28]: x"], name: name) == .init(text: text, isMemoryKill: false))
    }

    @Test(
        "a kill for want of memory is one, also where only the reason for it is told",
        arguments: [
            "Out of memory: Killed process 27 (shopd) total-vm:1kB, anon-rss:1kB",
            "Memory cgroup out of memory: Killed process 27 (shopd) total-vm:1kB",
            "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task_memcg=/a,task=shopd,pid=27,uid=0",
        ])
    func kills(text: String) throws {
        #expect(try line([text]) == .init(text: text, isMemoryKill: true))
    }

    @Test(
        "a line about another process, number or word is none about this one",
        arguments: [
            "shopd[2]: segfault at 0", "shopd[271]: segfault at 0", "other[27]: segfault at 0",
            "myshopd[27]: segfault at 0", "shopd[27]: hello", "other[1]: segfault at 0 in shopd[27]: segfault at 0",
            "Killed process 271 (shopd) total", "Killed process 27 (shopd2) total",
            "oom-kill:constraint=x,task=shopd,pid=271,uid=0",
            // What a process has written into the log.
            "12,1,NOW,-;shopd[27]: segfault at 0\n", "14,1,NOW,-;Killed process 27 (shopd) total\n",
        ])
    func others(text: String) throws {
        let text = text.replacing("NOW", with: "\(MonotonicTime.now)000")
        #expect(try line([text]) == nil)
    }

    @Test("of several the last counts; those from before the process's time are another's with its number")
    func times() throws {
        let texts = ["shopd[27]: segfault at 1", "shopd[27]: segfault at 2"]
        #expect(try line(texts)?.text == texts[1])
        // Further away than two clocks may be.
        let far = Int(MonotonicTime.now) / 1_000 + 60_000
        #expect(try line(texts, since: Int(MonotonicTime.now) + far) == nil)
        #expect(try line(texts, since: Int(MonotonicTime.now) - far)?.text == texts[1])
    }

    @Test("a name is cut as the kernel cuts it, and has its odd bytes as the log has them")
    func names() throws {
        let long = "name-of-sixteen-"
        #expect(try line(["name-of-sixteen[27]: segfault at 0"], name: long) != nil)
        #expect(try line([#"a\x5cb\xc3\xa4[27]: segfault at 0"#], name: #"a\bä"#) != nil)
    }

    @Test("thousands of other lines keep it from nobody")
    func many() throws {
        let others = (0..<20_000).map { "usb 1-1: new device number \($0)" }
        let text = "shopd[27]: segfault at 0"
        #expect(try line(others + [text])?.text == text)
    }

    @Test("a log that cannot be read says nothing")
    func missing() {
        #expect(KernelLog.line(about: 27, name: "shopd", since: 0, path: "/no/such/log") == nil)
    }

    /// Whether this machine tells of faults, and lets us read it, and our numbers are the kernel's.
    private static let isReadable: Bool = {
        let file = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return false }
        close(file)
        let tells = try? String(contentsOfFile: "/proc/sys/debug/exception-trace", encoding: .utf8)
        return tells == "1\n" && ProcessFacts.target("/proc/self/ns/pid") == "pid:[4026531836]"
    }()

    @Test(
        "a program that is called by a link has the kernel's line in its document",
        .enabled(if: isReadable && isInstalled("gcc"), "no kernel's log that tells of faults, or no gcc"))
    func link() async throws {
        try await withRunTool { tool in
            // It lives long enough for the wrapper to look at its file, which has another name.
            let source = "#include <unistd.h>\nint main(void) { usleep(200000); *(volatile int *)0 = 1; }\n"
            _ = try await tool.compile("program", source)
            let end = ContinuousClock.now + .seconds(40)
            var lines: [String] = []
            // The kernel tells of ten faults in five seconds, whoever's they are.
            repeat {
                let line = #"cd "$home"; ln -sf program called; "$run" --quiet -- ./called; echo $?"#
                #expect(try await tool.shell(line).output == "139\n")
                lines = try tool.drops().compactMap { $0.json?["kernel"]?.stringValue }
            } while lines.isEmpty && ContinuousClock.now < end
            let line = try #require(lines.first)
            #expect(line.hasPrefix("called[") && line.contains("segfault at 0"), "\(line)")
        }
    }
}
