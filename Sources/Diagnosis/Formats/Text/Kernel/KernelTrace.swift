/// What follows the first line of a kernel's report: the processor's state and the stack.
///
/// ```
/// CPU: 1 PID: 2841 Comm: rm Tainted: G           OE      6.1.0-26-amd64 #1  Debian 6.1.112-1
/// RIP: 0010:stockfs_evict_inode+0x5d/0x120 [stockfs]
/// Call Trace:
///  <TASK>
///  evict+0xd1/0x1a0
///  ? do_unlinkat+0x1dd/0x320
///  </TASK>
/// ---[ end trace 0000000000000000 ]---
/// ```
/// ARM writes ` pc : FUNCTION` and `Call trace:`. A frame with a question mark is one that the kernel is not sure of.
struct KernelTrace {
    /// The function that was running.
    private var current: Crash.Frame?
    /// Those that called it.
    private var callers: [Crash.Frame] = []
    /// Those that the kernel has found on the stack and that may be left from earlier calls.
    private var uncertain: [Crash.Frame] = []
    private(set) var command: String?
    private(set) var process: Int64?
    private(set) var release: String?
    private(set) var architecture: String?
    /// Whether it has anything that only such a report has.
    private(set) var isEvident = false

    private var isInCalls = false

    /// How many lines a report may have.
    static let maximumLineCount = 512

    init(_ lines: some Sequence<ArraySlice<UInt8>>) {
        for line in lines.prefix(Self.maximumLineCount) { self.read(line) }
    }

    /// All frames, the innermost first.
    var frames: [Crash.Frame] {
        // Kernels without frame pointers are sure of none.
        var callers = (self.callers.isEmpty ? self.uncertain : self.callers)[...]
        // The innermost calls may be those that write the report.
        callers = callers.drop { Self.reporting.contains($0.function ?? "") }
        guard let current, current.function != callers.first?.function else { return Array(callers) }
        return [current] + callers
    }

    private mutating func read(_ line: ArraySlice<UInt8>) {
        let text = line.trimmed
        if self.isInCalls, self.readCall(text) { return }
        if text.starts(with: "Call Trace:".utf8) || text.starts(with: "Call trace:".utf8)
            || text.starts(with: "Backtrace:".utf8)
        {
            // The stacks of other tasks and processors follow the first one.
            self.isInCalls = self.callers.isEmpty
            self.isEvident = true
        } else {
            self.isInCalls = false
            self.readState(text)
        }
    }

    /// Reads a line within a stack.
    /// - Returns: `false` behind the end of the stack.
    private mutating func readCall(_ line: ArraySlice<UInt8>) -> Bool {
        if line.isEmpty { return false }
        // `<TASK>` and `<IRQ>` tell on which stack the next calls are.
        if line.first == UInt8(ascii: "<") { return true }
        if let place = line.dropping("RIP: ") {
            // An interrupt stands above the function that it has interrupted.
            if let frame = Self.function(in: place), frame.function != self.callers.last?.function {
                self.callers.append(frame)
            }
            return true
        }
        // The registers of that function stand within the stack as well.
        if line.prefix(12).contains(": ") { return true }
        guard let frame = Self.function(in: line) else { return false }
        if line.starts(with: "? ".utf8) || line.contains("] ? ") {
            self.uncertain.append(frame)
        } else {
            self.callers.append(frame)
        }
        return true
    }

    private mutating func readState(_ line: ArraySlice<UInt8>) {
        if line.starts(with: "CPU: ".utf8) || line.starts(with: "Pid: ".utf8) {
            self.readTask(line)
        } else if let place = line.dropping("RIP: ") ?? line.dropping("EIP: ") ?? line.dropping("EIP is at ") {
            self.setCurrent(place, on: line.first == UInt8(ascii: "R") ? "x86_64" : "i386")
        } else if let place = line.dropping("pc : ") {
            self.setCurrent(place, on: "arm64")
        } else if let place = line.dropping("PC is at ") {
            self.setCurrent(place, on: "arm")
        } else if let place = line.dropping("epc : ") {
            self.setCurrent(place, on: "riscv64")
        } else if let place = line.dropping("NIP ") {
            self.setCurrent(place, on: "powerpc64")
        } else if let place = line.dropping("Krnl PSW : ") {
            self.setCurrent(place, on: "s390x")
        } else if let caller = line.after(") from [<"), let frame = Self.function(in: caller) {
            // Older kernels on ARM write the callers without a title.
            self.callers.append(frame)
        } else if line.starts(with: "Hardware name: ".utf8) || line.starts(with: "Kernel Offset: ".utf8)
            || line.starts(with: "---[ end ".utf8)
        {
            self.isEvident = true
        }
    }

    private mutating func setCurrent(_ place: ArraySlice<UInt8>, on architecture: String) {
        // The program's own place at the system call is written in the same way, without a name.
        guard self.current == nil, let frame = Self.function(in: place) else { return }
        self.current = frame
        self.architecture = architecture
        self.isEvident = true
    }

    /// `CPU: 1 UID: 0 PID: 2841 Comm: rm Not tainted 6.12.1 #1`.
    private mutating func readTask(_ line: ArraySlice<UInt8>) {
        guard self.command == nil else { return }
        guard let comm = line.after("Comm: ") ?? line.after("comm: "),
            let process = (line.after("PID: ") ?? line.after("Pid: "))?.leadingDigits
        else { return }
        self.isEvident = true
        self.process = process.decimalNumber
        guard let taint = comm.range(of: " Tainted: ") ?? comm.range(of: " Not tainted") else { return }
        self.command = comm[..<taint.lowerBound].trimmed.text.nonEmpty
        let words = comm[taint.upperBound...].split(separator: 0x20).prefix(16)
        self.release = words.first { $0.first?.isDigit == true && $0.contains(UInt8(ascii: ".")) }?.text
    }

    // MARK: - Functions

    /// The function in `FUNCTION+0x5d/0x120 [MODULE]`, wherever in the line it stands, or in what the kernel's script
    /// `decode_stacktrace.sh` makes of it: `FUNCTION (FILE:LINE) MODULE`.
    static func function(in line: ArraySlice<UInt8>) -> Crash.Frame? {
        if let plus = line.range(of: "+0x") {
            let start = line[..<plus.lowerBound].lastIndex { !self.isOfName($0) }.map { $0 + 1 } ?? line.startIndex
            let name = line[start..<plus.lowerBound]
            let offset = line[plus.upperBound...].prefix { $0.hexValue != nil }
            guard !name.isEmpty, !offset.isEmpty, line[offset.endIndex...].first == UInt8(ascii: "/") else {
                return nil
            }
            let module = line[offset.endIndex...].after(" [")?.prefix { $0 > 0x20 && $0 != UInt8(ascii: "]") }
            return self.frame(name, module: module)
        }
        guard let place = line.range(of: " ("), let end = line[place.upperBound...].firstIndex(of: UInt8(ascii: ")"))
        else {
            return nil
        }
        let start = line[..<place.lowerBound].lastIndex { !self.isOfName($0) }.map { $0 + 1 } ?? line.startIndex
        let inner = line[place.upperBound..<end]
        guard let location = SourceLocation(inner.before(" (") ?? inner) else { return nil }
        let module = line[(end + 1)...].drop { $0 == UInt8(ascii: ")") }.trimmed
        var frame = self.frame(line[start..<place.lowerBound], module: module)
        (frame.file, frame.line) = (location.file, location.line)
        return frame.function == nil ? nil : frame
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        byte.isLetter || byte.isDigit || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "$")
    }

    private static func frame(_ name: ArraySlice<UInt8>, module: ArraySlice<UInt8>?) -> Crash.Frame {
        // What the compiler adds to the names of parts and copies of a function differs from build to build.
        let parts = [".isra.", ".constprop.", ".part.", ".cold", ".llvm."]
        let plain = parts.reduce(name) { $0.before($1) ?? $0 }
        return Crash.Frame(
            function: plain.text.nonEmpty, module: module?.text.nonEmpty, isOwn: !self.isMachinery(plain))
    }

    /// The ways into the kernel and its handling of faults, which are in all reports.
    private static func isMachinery(_ name: ArraySlice<UInt8>) -> Bool {
        self.machinery.contains(name.text) || self.machineryBeginnings.contains { name.starts(with: $0.utf8) }
    }

    private static let reporting: Set<String> = [
        "dump_stack", "dump_stack_lvl", "dump_backtrace", "show_stack", "panic", "vpanic", "print_report",
        "kasan_report", "nmi_cpu_backtrace", "nmi_trigger_cpumask_backtrace",
    ]

    private static let machinery: Set<String> = reporting.union([
        "do_syscall_64", "x64_sys_call", "do_fast_syscall_32", "el0_svc", "invoke_syscall", "do_el0_svc",
        "el0t_64_sync", "el0t_64_sync_handler", "ret_from_fork", "ret_from_fork_asm", "kthread", "worker_thread",
        "process_one_work", "die", "__die", "oops_end", "no_context", "page_fault_oops", "do_trap",
        "do_error_trap", "report_bug", "handle_bug", "__warn", "warn_slowpath_fmt", "warn_slowpath_null",
        "check_panic_on_warn", "ubsan_epilogue",
        "schedule", "__schedule", "schedule_timeout", "schedule_preempt_disabled", "io_schedule", "context_switch",
        "__schedule_bug", "__might_sleep", "__might_resched", "check_noncircular", "print_circular_bug",
        "__lock_acquire", "lock_acquire", "native_queued_spin_lock_slowpath", "queued_spin_lock_slowpath",
        "rcu_sched_clock_irq", "rcu_dump_cpu_stacks", "print_cpu_stall", "update_process_times", "watchdog_timer_fn",
        "hrtimer_interrupt", "do_exit", "do_group_exit", "make_task_dead", "get_signal",
    ])

    private static let machineryBeginnings = [
        "asm_", "exc_", "kasan_", "_raw_spin_", "_raw_read_", "_raw_write_", "__sysvec_", "tick_sched_", "__hrtimer_",
        "entry_SYSCALL", "entry_INT", "el1_", "el1h_", "__asan_", "__kasan", "__ubsan_", "__tsan_",
        "kcsan_", "secondary_startup", "nmi_", "sysvec_", "print_address_description", "__stack_chk_fail",
    ]
}
