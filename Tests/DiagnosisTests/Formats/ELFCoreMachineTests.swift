import Diagnosis
import Testing

@Suite("ELF cores of all processors and systems")
struct ELFCoreMachineTests {
    struct Machine: Sendable, CustomTestStringConvertible {
        let name: String
        let number: UInt16
        var isWide = true
        var isBigEndian = false
        var flags: UInt32 = 0
        /// The offsets in the status of a thread.
        var thread = 32
        var registers = 112
        var registerByteCount = 8
        var instruction: Int
        /// The size of the description of the process, and the offsets in it.
        var size = 136
        var process = 24
        var command = 40
        var busError: Int16 = 7

        var testDescription: String { self.name }
    }

    static let machines = [
        Machine(name: "x86_64", number: 62, instruction: 16),
        Machine(name: "aarch64", number: 183, instruction: 32),
        Machine(name: "riscv64", number: 243, instruction: 0),
        Machine(name: "ppc64", number: 21, isBigEndian: true, instruction: 32),
        Machine(name: "ppc64le", number: 21, instruction: 32),
        Machine(name: "s390x", number: 22, isBigEndian: true, instruction: 1),
        Machine(name: "loongarch64", number: 258, instruction: 33),
        Machine(name: "alpha", number: 0x9026, instruction: 31, busError: 10),
        Machine(name: "sparc64", number: 43, isBigEndian: true, instruction: 33, busError: 10),
        Machine(name: "mips64", number: 8, isBigEndian: true, instruction: 34, busError: 10),
        // The x32 ABI: words of 4 bytes, registers of 8.
        Machine(
            name: "x86_64", number: 62, isWide: false, thread: 24, registers: 72, instruction: 16, size: 124,
            process: 12, command: 28),
        Machine(
            name: "i386", number: 3, isWide: false, thread: 24, registers: 72, registerByteCount: 4, instruction: 12,
            size: 124, process: 12, command: 28),
        Machine(
            name: "arm", number: 40, isWide: false, thread: 24, registers: 72, registerByteCount: 4, instruction: 15,
            size: 124, process: 12, command: 28),
        Machine(
            name: "ppc", number: 20, isWide: false, isBigEndian: true, thread: 24, registers: 72, registerByteCount: 4,
            instruction: 32, size: 128, process: 16, command: 32),
        Machine(
            name: "riscv32", number: 243, isWide: false, thread: 24, registers: 72, registerByteCount: 4,
            instruction: 0, size: 128, process: 16, command: 32),
        Machine(
            name: "mips", number: 8, isWide: false, isBigEndian: true, flags: 0x1000, thread: 24, registers: 72,
            registerByteCount: 4, instruction: 40, size: 128, process: 16, command: 32, busError: 10),
        // The n32 ABI: words of 4 bytes, registers of 8.
        Machine(
            name: "mipsel", number: 8, isWide: false, flags: 0x20, thread: 24, registers: 72, instruction: 34,
            size: 128, process: 16, command: 32, busError: 10),
        Machine(
            name: "sparc", number: 2, isWide: false, isBigEndian: true, thread: 24, registers: 72,
            registerByteCount: 4, instruction: 33, size: 124, process: 12, command: 28, busError: 10),
        Machine(
            name: "m68k", number: 4, isWide: false, isBigEndian: true, thread: 22, registers: 70, registerByteCount: 4,
            instruction: 18, size: 124, process: 12, command: 28),
    ]

    @Test("the signal, the process and the place are read on each", arguments: machines)
    func linux(machine: Machine) throws {
        var core = CoreForTests(
            machine: machine.number, isWide: machine.isWide, isBigEndian: machine.isBigEndian, flags: machine.flags)
        var status = core.writer(byteCount: machine.registers + 45 * machine.registerByteCount)
        status.put(machine.busError, at: 12)
        status.put(Int32(2_211), at: machine.thread)
        status.put(
            word: 0x40_1a2c, byteCount: machine.registerByteCount,
            at: machine.registers + machine.instruction * machine.registerByteCount)
        core.notes.append(CoreForTests.Note(owner: "CORE", type: 1, content: status.bytes))
        var process = core.writer(byteCount: machine.size)
        process.put(Int32(2_210), at: machine.process)
        process.put("camera", at: machine.command)
        core.notes.append(CoreForTests.Note(owner: "CORE", type: 3, content: process.bytes))
        core.addSignal(Int32(machine.busError), code: 2, value: 0xbf00, isSwapped: machine.number == 8)
        core.addProgram("/opt/camera/camera", at: 0x40_0000, library: 0x7000_0000)
        let diagnosis = recognize(core.bytes)
        #expect(diagnosis.summary == "camera[2210]: SIGBUS (BUS_ADRERR) at 0xbf00 in camera+0x1a2c")
        let crash = try #require(diagnosis.crash)
        #expect(crash.system.architecture == machine.name)
        #expect(crash.crashedThread?.number == 2_211)
    }

    @Test("an unknown processor still has a signal and a process")
    func unknownMachine() {
        var core = CoreForTests()
        core.machine = 0x7fff
        core.addThread(77, signal: 11, registers: [16: 0x40_1010])
        core.addProcess("tilld", number: 77)
        #expect(recognize(core.bytes).summary == "tilld[77]: SIGSEGV")
    }

    @Test("FreeBSD's notes are read")
    func freeBSD() throws {
        var core = CoreForTests()
        var process = core.writer(byteCount: 120)
        process.put("tilld", at: 16)
        process.put(Int32(77), at: 116)
        core.notes.append(CoreForTests.Note(owner: "FreeBSD", type: 3, content: process.bytes))
        var status = core.writer(byteCount: 48 + 26 * 8)
        status.put(Int32(10), at: 36)
        status.put(Int32(100_321), at: 40)
        status.put(UInt64(0x20_1234), at: 48 + 17 * 8)
        core.notes.append(CoreForTests.Note(owner: "FreeBSD", type: 1, content: status.bytes))
        var name = core.writer(byteCount: 24)
        name.put("worker", at: 0)
        core.notes.append(CoreForTests.Note(owner: "FreeBSD", type: 7, content: name.bytes))
        var thread = core.writer(byteCount: 4 + 0x30 + 80)
        thread.put(UInt32(0x20), at: 4 + 8)
        thread.put(Int32(10), at: 4 + 0x30)
        thread.put(Int32(1), at: 4 + 0x30 + 8)
        thread.put(UInt64(0xbf01), at: 4 + 0x30 + 24)
        core.notes.append(CoreForTests.Note(owner: "FreeBSD", type: 17, content: thread.bytes))
        var mapping = core.writer(byteCount: 4 + 160)
        mapping.put(Int32(160), at: 4)
        mapping.put(UInt64(0x20_0000), at: 4 + 8)
        mapping.put(UInt64(0x21_0000), at: 4 + 16)
        mapping.put("/home/till/bin/tilld", at: 4 + 0x88)
        core.notes.append(CoreForTests.Note(owner: "FreeBSD", type: 10, content: mapping.bytes))
        let diagnosis = recognize(core.bytes)
        #expect(diagnosis.summary == "tilld[77]: SIGBUS (BUS_ADRALN) at 0xbf01 in tilld+0x1234")
        let crash = try #require(diagnosis.crash)
        #expect(crash.system.name == "FreeBSD")
        #expect(crash.threads.first?.name == "worker")
    }

    @Test(
        "NetBSD and OpenBSD tell the process",
        arguments: [("NetBSD-CORE", 1, 0x50, 0x7c), ("OpenBSD", 10, 0x20, 0x48)])
    func otherBSD(owner: String, type: UInt32, process: Int, name: Int) {
        var core = CoreForTests()
        var content = core.writer(byteCount: 0xa0)
        content.put(UInt32(11), at: 8)
        content.put(Int32(77), at: process)
        content.put("tilld", at: name)
        core.notes.append(CoreForTests.Note(owner: owner, type: type, content: content.bytes))
        let diagnosis = recognize(core.bytes)
        #expect(diagnosis.summary == "tilld[77]: SIGSEGV")
        #expect(diagnosis.crash?.system.name == (type == 1 ? "NetBSD" : "OpenBSD"))
    }

    @Test("numbers of signals that differ between systems are told apart")
    func signalNumbers() {
        func summary(of machine: UInt16, signal: Int16) -> String {
            var core = CoreForTests()
            core.machine = machine
            core.addThread(1, signal: signal)
            core.addProcess("a", number: 1)
            return recognize(core.bytes).summary
        }
        #expect(summary(of: 8, signal: 12) == "a[1]: SIGSYS")
        #expect(summary(of: 62, signal: 31) == "a[1]: SIGSYS")
        #expect(summary(of: 8, signal: 31) == "a[1]: SIGXFSZ")
        #expect(summary(of: 43, signal: 25) == "a[1]: SIGXFSZ")
        #expect(summary(of: 0x9026, signal: 29) == "a[1]: SIGPWR")
        #expect(summary(of: 62, signal: 40) == "a[1]: signal 40")
    }
}
