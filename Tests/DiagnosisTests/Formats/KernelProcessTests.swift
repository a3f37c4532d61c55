import Diagnosis
import Testing

@Suite("Processes that the Linux kernel has ended")
struct KernelProcessTests {
    @Test("a segmentation fault is a crash of the program, told by the kernel")
    func segfault() throws {
        let diagnosis = recognize(
            """
            [  812.604301] billing[3155]: segfault at 28 ip 000055d0c1a01139 sp 00007ffd4a1b2c30 error 4 in billing[55d0c1a01000+1000]
            [  812.604302] Code: 48 8b 43 28
            """)
        #expect(diagnosis.format == "kernel-segfault")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "billing[3155]: SIGSEGV: segfault at 0x28")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.code == "SEGV_MAPERR")
        #expect(crash.cause.address == 0x28)
        let frame = try #require(crash.crashedThread?.frames.first)
        #expect(frame.module == "billing")
        #expect(frame.moduleOffset == 0x139)
        #expect(frame.isOwn)
    }

    @Test("two runs have one signature, since the place in the program's file counts")
    func signature() {
        func line(_ process: Int, _ base: String, _ place: String) -> String {
            let ip = "000055\(base)01\(place)"
            return
                "Nov 28 08:21:40 h kernel: [  8.604301] billing[\(process)]: segfault at 28 ip \(ip) sp 00007ffd4a1b2c30 "
                + "error 6 in billing[55\(base)01000+1000]\n"
        }
        let first = recognize(line(3155, "d0c1a", "139")).signature
        #expect(first != nil)
        #expect(recognize(line(77, "aac1a", "139")).signature == first)
        #expect(recognize(line(77, "aac1a", "1f0")).signature != first)
    }

    @Test("of many the last one counts, in a syslog of other lines too")
    func last() {
        let diagnosis = recognize(
            """
            Nov 28 08:21:40 h kernel: [  8.604301] a[1]: segfault at 28 ip 000055d0c1a01139 sp 00007ffd4a1b2c30 error 4 in a[55d0c1a01000+1000]
            Nov 28 08:21:41 h sshd[77]: Accepted publickey
            Nov 28 08:21:42 h kernel: [  9.604301] b[2]: segfault at 0 ip 00007fd0c1a01139 sp 00007ffd4a1b2c30 error 4 in libc.so.6[55d0,7fd0c1a01000+1000]
            """)
        #expect(diagnosis.crash?.program == "b")
        #expect(diagnosis.crash?.process == 2)
        #expect(diagnosis.crash?.crashedThread?.frames.first?.moduleOffset == 0x55d0)
        #expect(diagnosis.crash?.crashedThread?.frames.first?.isOwn == false)
    }

    @Test("traps of the processor and the faults of ARM are told by their signals")
    func traps() {
        let trap = recognize(
            "[  8.604301] traps: billing[3155] trap invalid opcode ip:55d0c1a01139 sp:7ffd4a1b2c30 error:0 in billing[55d0c1a01000+1000]\n"
        )
        #expect(trap.crash?.cause.signal == "SIGILL")
        #expect(trap.summary == "billing[3155]: SIGILL: invalid opcode")
        let arm = recognize(
            "[  8.604301] billing[3155]: unhandled level 2 translation fault (11) at 0x00000028, esr 0x92000006, in billing[55d0c1a01000+1000]\n"
        )
        #expect(arm.crash?.cause.signal == "SIGSEGV")
        #expect(arm.crash?.cause.address == 0x28)
    }

    @Test("a process that was killed for want of memory has crashed")
    func outOfMemory() {
        let diagnosis = recognize(
            """
            [  812.604301] java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
            [  812.604302] Out of memory: Killed process 2841 (my java) total-vm:8123456kB, anon-rss:7000kB, file-rss:0kB, UID:0
            """)
        #expect(diagnosis.format == "kernel-oom")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.crash?.program == "my java")
        #expect(diagnosis.crash?.cause.signal == "SIGKILL")
        #expect(
            diagnosis.summary
                == "my java[2841]: Out of memory: total-vm:8123456kB, anon-rss:7000kB, file-rss:0kB")
        let group = recognize("[  8.604302] Memory cgroup out of memory: Killed process 7 (a) total-vm:8kB, UID:0\n")
        #expect(group.crash?.cause.type == "Memory cgroup out of memory")
        let older = recognize("[  8.604302] Out of memory: Killed process 7 (a), UID 0, total-vm:8kB, anon-rss:1kB\n")
        #expect(older.summary == "a[7]: Out of memory: total-vm:8kB, anon-rss:1kB")
    }

    @Test(
        "text that only talks of it is no crash",
        arguments: [
            "The log says foo: segfault at address 0 and ends.\n", "x[1]: segfault at home\n",
            "Out of memory: Killed process\n", "traps: a[1] b\n", "a: unhandled exception at 0x1\n",
            "This fixes a crash (foo[12]: segfault at 0 ip 0 sp 0 error 4).\n",
        ])
    func documentation(text: String) {
        #expect(recognize(text).kind == .log)
    }
}
