import Diagnosis
import Testing

@Suite("Reports of the Linux kernel about itself")
struct KernelTests {
    /// An oops of a module, as `dmesg` shows it.
    private func oops(address: String = "0000000000000028", function: String = "stockfs_evict_inode") -> String {
        """
        [  812.604301] BUG: kernel NULL pointer dereference, address: \(address)
        [  812.604312] #PF: supervisor read access in kernel mode
        [  812.604316] #PF: error_code(0x0000) - not-present page
        [  812.604320] PGD 0 P4D 0
        [  812.604326] Oops: 0000 [#1] PREEMPT SMP NOPTI
        [  812.604333] CPU: 1 PID: 2841 Comm: rm -rf Tainted: G           OE      6.1.0-26-amd64 #1  Debian 6.1.112-1
        [  812.604340] Hardware name: Example X1/000, BIOS 1.7 03/01/2024
        [  812.604344] RIP: 0010:\(function)+0x5d/0x120 [stockfs]
        [  812.604402] Code: 48 8b 43 28 48 85 c0 74 1a <48> 8b 40 28 e8 0f 1f
        [  812.604411] RSP: 0018:ffffb1a3c0e0fdd8 EFLAGS: 00010246
        [  812.604418] RAX: 0000000000000000 RBX: ffff9e4c81a54000 RCX: 0000000000000000
        [  812.604430] Call Trace:
        [  812.604433]  <TASK>
        [  812.604435]  ? __die+0x23/0x70
        [  812.604437]  evict+0xd1/0x1a0
        [  812.604451]  do_unlinkat.part.0+0x1dd/0x320
        [  812.604460]  do_syscall_64+0x5b/0xc0
        [  812.604462]  entry_SYSCALL_64_after_hwframe+0x6e/0xd8
        [  812.604463] RIP: 0033:0x7f1c2a1b9d7b
        [  812.604470]  </TASK>
        [  812.604475] Modules linked in: stockfs(OE) xfs
        [  812.604490] ---[ end trace 0000000000000000 ]---

        """
    }

    @Test("an oops tells the fault, the task, the release and the stack")
    func oopsIsRead() throws {
        let diagnosis = recognize(self.oops())
        #expect(diagnosis.format == "kernel-oops")
        #expect(diagnosis.kind == .crash)
        #expect(
            diagnosis.summary
                == "kernel: BUG: kernel NULL pointer dereference, address: 0000000000000028 in stockfs_evict_inode")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.address == 0x28)
        #expect(crash.system == Crash.System(name: "Linux", version: "6.1.0-26-amd64", architecture: "x86_64"))
        let thread = try #require(crash.crashedThread)
        #expect(thread.name == "rm -rf")
        #expect(thread.number == 2841)
        #expect(
            thread.frames.map(\.function) == [
                "stockfs_evict_inode", "evict", "do_unlinkat", "do_syscall_64", "entry_SYSCALL_64_after_hwframe",
            ])
        #expect(thread.frames.map(\.isOwn) == [true, true, true, false, false])
        #expect(thread.frames.first?.module == "stockfs")
    }

    @Test("two runs of one fault have one signature, other functions another")
    func signature() {
        let first = recognize(self.oops()).signature
        #expect(first != nil)
        #expect(recognize(self.oops(address: "0000000000000030")).signature == first)
        #expect(recognize(self.oops(function: "stockfs_lookup")).signature != first)
        let later = self.oops().split(separator: "\n").map { "Nov 28 14:40:33 host kernel: \($0)" }
        #expect(recognize(later.joined(separator: "\n")).signature == first)
    }

    @Test("of a panic the fault before it is told as well, behind any number of lines")
    func panicAfterOops() throws {
        let boot = (0..<2_000).map { "[    \($0 % 9).123456] usb 1-\($0): new device\n" }.joined()
        let diagnosis = recognize(boot + self.oops() + "[  812.611002] Kernel panic - not syncing: Fatal exception\n")
        #expect(diagnosis.format == "kernel-panic")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary.hasPrefix("kernel: Kernel panic: Fatal exception; BUG: kernel NULL pointer deref"))
        #expect(diagnosis.summary.hasSuffix(" in stockfs_evict_inode"))
        #expect(diagnosis.crash?.earlierCauses.map(\.type) == ["BUG"])
        #expect(diagnosis.crash?.crashedThread?.name == "rm -rf")
    }

    @Test("the parts of a persistent store are read from the last one to the first")
    func persistentStore() {
        let lines = self.oops().split(separator: "\n").map { "<4>\($0)\n" }
        let panic = "<0>[  812.611002] Kernel panic - not syncing: Fatal exception\n"
        let text = "Panic#1 Part1\n" + lines[9...].joined() + panic + "Panic#1 Part2\n" + lines[..<9].joined()
        let diagnosis = recognize(text)
        #expect(diagnosis.format == "kernel-panic")
        #expect(diagnosis.crash?.earlierCauses.map(\.type) == ["BUG"])
        #expect(diagnosis.crash?.place?.function == "stockfs_evict_inode")
        let cut = recognize("Panic#1 Part1\n" + lines[9...].joined() + panic)
        #expect(cut.format == "kernel-panic")
        #expect(cut.crash?.place?.function == "evict")
    }

    /// A report, and what it is.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let format: String
        let kind: Diagnosis.Kind
        let summary: String
        let text: String
    }

    private static func make(
        _ description: String, _ format: String, _ kind: Diagnosis.Kind, _ summary: String, _ text: String
    ) -> Case {
        Case(testDescription: description, format: format, kind: kind, summary: summary, text: text)
    }

    private static let faults = [
        make(
            "ARM", "kernel-oops", .crash,
            "kernel: Oops: Unable to handle kernel paging request at virtual address ffff800012345678 in till_read",
            """
            Unable to handle kernel paging request at virtual address ffff800012345678
            Mem abort info:
              ESR = 0x0000000096000007
            Internal error: Oops: 0000000096000007 [#1] SMP
            CPU: 3 PID: 812 Comm: cat Not tainted 6.6.31 #1
            pc : till_read+0x1c/0x40 [till]
            lr : vfs_read+0xa8/0x2e0
            sp : ffff80000b3fbd20
            Call trace:
             till_read+0x1c/0x40 [till]
             vfs_read+0xa8/0x2e0
             el0_svc+0x2c/0x84
            Code: f9400000 b9400001
            ---[ end trace 0000000000000000 ]---
            """),
        make(
            "an exception of the processor", "kernel-oops", .crash,
            "kernel: general protection fault: probably for non-canonical address 0xdead000000000108 in till_free",
            """
            [   41.1] x
            [   41.123456] Oops: general protection fault, probably for non-canonical address 0xdead000000000108: 0000 [#1] SMP
            [   41.123460] CPU: 0 UID: 0 PID: 77 Comm: kworker/0:2 Not tainted 6.12.9 #1
            [   41.123470] RIP: 0010:till_free+0x10/0x90 [till]
            """),
        make(
            "an assertion", "kernel-oops", .crash, "kernel: kernel BUG in till_close at till.c:91",
            """
            [   41.123450] kernel BUG at drivers/till/till.c:91!
            [   41.123456] invalid opcode: 0000 [#1] PREEMPT SMP
            [   41.123470] RIP: 0010:till_close+0x10/0x90 [till]
            """),
        make(
            "a panic of its own", "kernel-panic", .crash,
            "kernel: Kernel panic: VFS: Unable to mount root fs on unknown-block(0,0) in mount_root_generic",
            """
            [    1.123450] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)
            [    1.123451] CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.0 #1
            [    1.123452] Call Trace:
            [    1.123453]  dump_stack_lvl+0x44/0x5c
            [    1.123454]  panic+0x118/0x2ed
            [    1.123455]  mount_root_generic+0x1f9/0x2a0
            """),
        make(
            "a soft lockup", "kernel-hang", .hang,
            "kernel: soft lockup: CPU#1 stuck for 26s! [kworker/1:2:1234] in till_poll",
            """
            [  100.123450] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [kworker/1:2:1234]
            [  100.123453] RIP: 0010:till_poll+0x10/0x90 [till]
            """),
        make(
            "a task that waits", "kernel-hang", .hang,
            "mount[1452]: hung task: blocked for more than 120 seconds. in till_lock",
            """
            [  242.123450] INFO: task mount:1452 blocked for more than 120 seconds.
            [  242.123451]       Not tainted 6.1.0-26-amd64 #1
            [  242.123453] Call Trace:
            [  242.123454]  __schedule+0x34d/0x9e0
            [  242.123455]  schedule+0x5a/0xd0
            [  242.123456]  till_lock+0x10/0x90 [till]
            """),
        make(
            "a stall", "kernel-hang", .hang, "kernel: RCU stall: rcu_preempt self-detected stall on CPU",
            "[  242.123450] rcu: INFO: rcu_preempt self-detected stall on CPU\n"),
        make(
            "a warning", "kernel-warning", .diagnostic, "kernel: WARNING in till_fill at super.c:91",
            """
            Nov 28 14:40:33 host kernel: [  166.112324] ------------[ cut here ]------------
            Nov 28 14:40:33 host kernel: [  166.112328] WARNING: CPU: 0 PID: 1452 at /build/till/super.c:91 till_fill+0x2c/0x400 [till]
            Nov 28 14:40:33 host kernel: [  166.112360] RIP: 0010:till_fill+0x2c/0x400 [till]
            """),
        make(
            "a newer warning", "kernel-warning", .diagnostic, "kernel: WARNING in till_fill at super.c:91",
            "[  166.112328] WARNING: fs/till/super.c:91 at till_fill+0x2c/0x400 [till], CPU#0: mount/1452\n"),
        make(
            "the kernel's address sanitizer", "kernel-sanitizer", .diagnostic,
            "kernel: KASAN: slab-use-after-free: Read of size 8 at addr ffff888112345678 by task cat/812 in till_read",
            """
            [  166.112328] BUG: KASAN: slab-use-after-free in till_read+0x2c/0x400 [till]
            [  166.112330] Read of size 8 at addr ffff888112345678 by task cat/812
            [  166.112331] CPU: 1 PID: 812 Comm: cat Not tainted 6.6.31 #1
            [  166.112332] Call Trace:
            [  166.112333]  dump_stack_lvl+0x44/0x5c
            [  166.112334]  print_report+0xc7/0x610
            [  166.112335]  kasan_report+0xb5/0xe0
            [  166.112336]  till_read+0x2c/0x400 [till]
            """),
        make(
            "undefined behaviour", "kernel-sanitizer", .diagnostic,
            "kernel: UBSAN: array-index-out-of-bounds: index 5 is out of range for type 'int [4]' in till_sum at till.c:12",
            """
            [  166.112328] UBSAN: array-index-out-of-bounds in drivers/till/till.c:12:4
            [  166.112329] index 5 is out of range for type 'int [4]'
            [  166.112331] CPU: 1 PID: 812 Comm: cat Not tainted 6.6.31 #1
            [  166.112332] Call Trace:
            [  166.112333]  dump_stack_lvl+0x44/0x5c
            [  166.112334]  __ubsan_handle_out_of_bounds+0x61/0x90
            [  166.112335]  till_sum+0x2c/0x400 [till]
            """),
    ]

    private static let others = [
        make(
            "a panic for a warning", "kernel-panic", .crash,
            "kernel: Kernel panic: panic_on_warn set ...; WARNING: till eth0: transmit queue 0 timed out in till_fill at a.c:9",
            """
            [  166.112324] ------------[ cut here ]------------
            [  166.112325] till eth0: transmit queue 0 timed out
            [  166.112328] WARNING: CPU: 0 PID: 1452 at net/a.c:9 till_fill+0x2c/0x400 [till]
            [  166.112360] RIP: 0010:till_fill+0x2c/0x400 [till]
            [  166.112370] Kernel panic - not syncing: panic_on_warn set ...
            """),
        make(
            "a stack with source lines", "kernel-oops", .crash,
            "kernel: BUG: unable to handle page fault for address: ffffdead00000108 in till_read at till.c:12",
            """
            BUG: unable to handle page fault for address: ffffdead00000108
            CPU: 3 PID: 812 Comm: cat Not tainted 6.6.31 #1
            RIP: 0010:till_read (drivers/till/till.c:12 (discriminator 1)) till
            Call Trace:
             <TASK>
            vfs_read (fs/read_write.c:468)
            """),
        make(
            "PowerPC", "kernel-oops", .crash,
            "kernel: BUG: Kernel NULL pointer dereference on read at 0x00000028 in till_read",
            """
            BUG: Kernel NULL pointer dereference on read at 0x00000028
            Faulting instruction address: 0xc008000000ab01c0
            Oops: Kernel access of bad area, sig: 11 [#1]
            CPU: 3 PID: 812 Comm: cat Not tainted 6.6.31 #1
            NIP:  c008000000ab01c0 LR: c0000000004f0a8c CTR: c0000000004f0a40
            NIP [c008000000ab01c0] till_read+0x1c/0x40 [till]
            Call Trace:
            [c000000006a3fbd0] [c0000000004f0a8c] vfs_read+0xcc/0x390
            """),
        make(
            "a stall with a stack", "kernel-hang", .hang,
            "kernel: RCU stall: rcu_sched self-detected stall on CPU in till_spin",
            """
            [  242.123450] rcu: INFO: rcu_sched self-detected stall on CPU
            [  242.123454] CPU: 3 PID: 812 Comm: cat Not tainted 5.15.0-91-generic #101-Ubuntu
            [  242.123455] Call Trace:
            [  242.123456]  <IRQ>
            [  242.123458]  dump_stack_lvl+0x4a/0x63
            [  242.123460]  rcu_dump_cpu_stacks+0xd7/0x116
            [  242.123461]  </IRQ>
            [  242.123463]  asm_sysvec_apic_timer_interrupt+0x1b/0x20
            [  242.123464] RIP: 0010:till_spin+0x10/0x20 [till]
            [  242.123467] RAX: ffff9e4c81a54000 RBX: ffff9e4c81a54000 RCX: ffff000000000000
            [  242.123468]  till_read+0x2c/0x400 [till]
            """),
        make(
            "an old kernel", "kernel-oops", .crash,
            "kernel: BUG: unable to handle kernel NULL pointer dereference at 00000028 in till_read",
            """
            [   41.000001] BUG: unable to handle kernel NULL pointer dereference at 00000028
            [   41.000005] Pid: 812, comm: cat Not tainted 3.2.0-4-686-pae #1 Debian 3.2.65
            [   41.000007] EIP is at till_read+0x1d/0x40 [till]
            [   41.000008] Call Trace:
            [   41.000009]  [<c10d0a44>] ? vfs_read+0x84/0x100
            """),
        make(
            "an error of the machine", "kernel-warning", .diagnostic,
            "kernel: Machine check: CPU 2: Machine Check Exception: 5 Bank 4: b200000000070f0f",
            "[   41.123456] mce: [Hardware Error]: CPU 2: Machine Check Exception: 5 Bank 4: b200000000070f0f\n"),
    ]

    @Test("each kind of report is told", arguments: faults + others)
    func kinds(sample: Case) {
        let diagnosis = recognize(sample.text)
        #expect(diagnosis.format == sample.format)
        #expect(diagnosis.kind == sample.kind)
        #expect(diagnosis.summary == sample.summary)
    }

    @Test("a fault counts more than a warning, wherever it stands")
    func worst() {
        let warning = "[  900.112328] WARNING: CPU: 0 PID: 1 at a.c:91 till_fill+0x2c/0x400 [till]\n"
        #expect(recognize(warning + self.oops() + warning).format == "kernel-oops")
    }

    @Test(
        "text that only talks of such reports is none",
        arguments: [
            "Kernel panic - not syncing: an example\n",
            "BUG: kernel NULL pointer dereference, address: 0\nSee below.\n",
            "WARNING: CPU usage is high\n", "WARNING: possible data loss in a.c\n", "INFO: task done\n",
            "Oops: this is the [#1] problem\n", "Closes: [#1] and more\n", "    BUG: soft lockup - CPU#1 stuck\n",
            "traps: and snares\n", "UBSAN: enabled in all builds\n",
        ])
    func documentation(text: String) {
        #expect(recognize(text).kind != .crash)
    }

    @Test("a report may end anywhere")
    func cut() {
        let bytes = Array((self.oops() + "[  812.611002] Kernel panic - not syncing: Fatal exception\n").utf8)
        for length in stride(from: 0, to: bytes.count, by: 7) { _ = recognize(Array(bytes.prefix(length))) }
        #expect(recognize(Array(bytes.prefix(bytes.count / 2))).format == "kernel-oops")
    }
}
