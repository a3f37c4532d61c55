import Diagnosis
import TestSupport
import Testing

@Suite("ELF cores")
struct ELFCoreTests {
    /// A core of one thread that got SIGSEGV, with the program at one address and the C library at another.
    private func core(
        base: UInt64 = 0x5500_0000_0000, offset: UInt64 = 0x1234, registers: [Int: UInt64] = [:]
    ) -> CoreForTests {
        var core = CoreForTests()
        core.addThread(77, signal: 11, registers: registers.merging([16: base + offset]) { $1 })
        core.addProcess("tilld", number: 77)
        core.addSignal(11, code: 1, value: 0x18)
        core.addProgram("/srv/till/bin/tilld", at: base)
        core.addThread(78, signal: 11, registers: [16: 0x7f00_0000_2000])
        return core
    }

    @Test("the fault, the process, the place and the other threads are read")
    func wholeCore() throws {
        let diagnosis = recognize(self.core().bytes)
        #expect(diagnosis.format == "elf-core")
        #expect(diagnosis.contentType == "application/x-coredump")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "tilld[77]: SIGSEGV (SEGV_MAPERR) at 0x18 in tilld+0x1234")
        let crash = try #require(diagnosis.crash)
        #expect(
            crash.cause == Crash.Cause(type: "SIGSEGV", signal: "SIGSEGV", code: "SEGV_MAPERR", address: 0x18))
        #expect(crash.system == Crash.System(name: "Linux", architecture: "x86_64"))
        #expect(crash.threads.map(\.number) == [77, 78])
        #expect(crash.threads.map(\.isCrashed) == [true, false])
        #expect(crash.threads[1].frames.first?.module == "libc.so.6")
        #expect(crash.threads[1].frames.first?.isOwn == false)
        #expect(crash.images.map(\.path) == ["/srv/till/bin/tilld", "/usr/lib/x86_64-linux-gnu/libc.so.6"])
        #expect(crash.images.first?.baseAddress == 0x5500_0000_0000)
        #expect(crash.images.first?.endAddress == 0x5500_0000_9000)
    }

    @Test("no argument is shown")
    func arguments() throws {
        let diagnosis = recognize(self.core().bytes)
        #expect(!diagnosis.summary.contains("hunter2"))
        #expect(!String(describing: try #require(diagnosis.crash)).contains("hunter2"))
    }

    @Test("the same fault has one signature wherever the program is loaded, and another place has another one")
    func signatures() throws {
        let signature = try #require(recognize(self.core().bytes).signature)
        #expect(recognize(self.core(base: 0x5600_1234_0000).bytes).signature == signature)
        #expect(recognize(self.core(offset: 0x1300).bytes).signature != signature)
    }

    @Test("a name that the kernel has cut is that of the file")
    func longName() {
        var core = CoreForTests()
        core.addThread(5, signal: 6)
        core.addProcess("ledger-settleme", number: 5)
        core.addProgram("/opt/ledger/ledger-settlement-daemon (deleted)", at: 0x40_0000)
        #expect(recognize(core.bytes).crash?.program == "ledger-settlement-daemon")
        core.notes.remove(at: 1)
        core.addProcess("worker", number: 5)
        #expect(recognize(core.bytes).crash?.program == "worker")
    }

    @Test("the program's own file is the one that the auxiliary vector points into")
    func mainFile() throws {
        var core = CoreForTests()
        core.addThread(5, signal: 11, registers: [16: 0x7f00_0000_1010])
        var auxiliary = core.writer()
        auxiliary.append(UInt64.self, 6, 4_096, 3, 0x7f00_0000_0040, 9, 0x7f00_0000_1000, 0, 0)
        core.notes.append(CoreForTests.Note(owner: "CORE", type: 6, content: auxiliary.bytes))
        core.addProgram("/usr/lib/preloaded.so", at: 0x40_0000)
        let crash = try #require(recognize(core.bytes).crash)
        #expect(crash.program == "libc.so.6")
        #expect(crash.crashedThread?.frames.first?.isOwn == true)
    }

    @Test("the chain of frame pointers is followed where the stack is in the payload")
    func framePointers() throws {
        let base: UInt64 = 0x5500_0000_0000
        var core = self.core(registers: [4: 0x7ffe_0000_0010, 19: 0x7ffe_0000_0000])
        var stack = core.writer(byteCount: 16)
        stack.append(UInt64.self, 0x7ffe_0000_0030, base + 0x2000, 0, 0)
        // The next frame lies at a lower address, so it is none.
        stack.append(UInt64.self, 0x7ffe_0000_0010, base + 0x3000)
        core.segments.append(CoreForTests.Segment(start: 0x7ffe_0000_0000, byteCount: 0x1000, content: stack.bytes))
        let frames = try #require(recognize(core.bytes).crash?.crashedThread?.frames)
        #expect(frames.map(\.moduleOffset) == [0x1234, 0x2000, 0x3000])
        #expect(frames.allSatisfy { $0.isOwn && $0.module == "tilld" })
    }

    @Test("signed return addresses of ARM64 are addresses")
    func signedAddresses() throws {
        var core = CoreForTests()
        core.machine = 183
        core.addThread(9, signal: 5, registers: [32: 0x40_1100, 29: 0x7ff0_0000_0000, 31: 0x7ff0_0000_0000])
        core.addProgram("/srv/app/agent", at: 0x40_0000)
        var stack = core.writer()
        stack.append(UInt64.self, 0, 0x00a5_0000_0040_2200)
        core.segments.append(CoreForTests.Segment(start: 0x7ff0_0000_0000, byteCount: 0x1000, content: stack.bytes))
        let diagnosis = recognize(core.bytes)
        #expect(diagnosis.crash?.crashedThread?.frames.map(\.moduleOffset) == [0x1100, 0x2200])
        #expect(diagnosis.summary == "agent[9]: SIGTRAP in agent+0x1100")
        #expect(diagnosis.kind == .crash)
    }

    @Test("a file that is mapped once more somewhere else is no larger for it")
    func secondMapping() throws {
        let path = "/srv/till/bin/tilld"
        var core = CoreForTests()
        core.addThread(77, signal: 11, registers: [16: 0x40_1010])
        core.addFiles([
            CoreForTests.Mapping(start: 0x40_0000, end: 0x40_1000, page: 0, path: path),
            CoreForTests.Mapping(start: 0x40_1000, end: 0x40_9000, page: 1, path: path),
            CoreForTests.Mapping(start: 0x60_0000, end: 0x60_1000, page: 9, path: path),
            CoreForTests.Mapping(start: 0x7f00_0000_0000, end: 0x7f00_0000_1000, page: 2, path: path),
        ])
        let images = try #require(recognize(core.bytes).crash?.images)
        #expect(images.first?.endAddress == 0x60_1000)
        #expect(images.map(\.baseAddress) == [0x40_0000, 0x7eff_ffff_e000])
    }

    @Test("a build id is read from the image's first page")
    func buildID() {
        var image = BinaryWriter(bytes: [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
        image.pad(to: 32)
        image.append(UInt64.self, 64)
        image.pad(to: 54)
        image.append(UInt16.self, 56, 1)
        image.pad(to: 64)
        image.append(UInt32.self, 4, 4)
        image.append(UInt64.self, 120, 120, 120, 24, 24, 4)
        image.append(UInt32.self, 4, 8, 3)
        image.append("GNU", paddedTo: 4)
        image.bytes += [0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4]
        var core = self.core()
        core.segments[0].content = image.bytes
        #expect(recognize(core.bytes).crash?.images.map(\.buildID) == ["deadbeef01020304", nil])
    }

    @Test("a signal that another process has sent names it, one of its own does not")
    func sender() {
        var core = CoreForTests()
        core.addThread(77, signal: 6, registers: [16: 0x40_1010])
        core.addProcess("tilld", number: 77)
        core.addProgram("/srv/till/bin/tilld", at: 0x40_0000)
        var own = core
        core.addSignal(6, code: 0, value: 1)
        #expect(recognize(core.bytes).summary == "tilld[77]: SIGABRT: sent by process 1 in tilld+0x1010")
        // The innermost frame is `raise`, whoever's file it is in.
        own.addSignal(6, code: -6, value: 77)
        #expect(recognize(own.bytes).summary == "tilld[77]: SIGABRT")
        #expect(recognize(own.bytes).crash?.cause.code == "SI_TKILL")
        #expect(recognize(own.bytes).signature == nil)
    }

    @Test("a core that gdb wrote of a process that goes on is no crash", arguments: [0, 19] as [Int16])
    func requested(signal: Int16) {
        var core = CoreForTests()
        core.addProcess("tilld", number: 77)
        core.addThread(77, signal: signal, registers: [16: 0x40_1010])
        core.addSignal(19, code: 0x80, value: 0)
        core.addProgram("/srv/till/bin/tilld", at: 0x40_0000)
        let diagnosis = recognize(core.bytes)
        #expect(diagnosis.kind == .diagnostic)
        #expect(diagnosis.crash?.program == "tilld")
        #expect(diagnosis.crash?.threads.map(\.isCrashed) == [false])
    }

    @Test("the notes are found behind more segments than the header can count")
    func manySegments() {
        var core = self.core()
        core.hasManySegments = true
        #expect(recognize(core.bytes).summary == "tilld[77]: SIGSEGV (SEGV_MAPERR) at 0x18 in tilld+0x1234")
    }

    @Test("notes at the end of a large core are read")
    func notesInTail() {
        var core = CoreForTests()
        core.addThread(77, signal: 11)
        core.addProcess("tilld", number: 77)
        var bytes = core.bytes
        let notes = bytes[120...]
        let offset = 3 << 20
        bytes = Array(bytes[..<120]) + [UInt8](repeating: 0, count: offset - 120) + notes
        for index in 0..<8 { bytes[72 + index] = UInt8(truncatingIfNeeded: offset >> (8 * index)) }
        #expect(recognize(bytes).summary == "tilld[77]: SIGSEGV")
    }

    @Test("a core that is cut anywhere is a core, and tells what is left")
    func cut() {
        let bytes = self.core().bytes
        for count in 18..<bytes.count {
            #expect(recognize(Array(bytes.prefix(count))).format == "elf-core")
        }
        #expect(recognize(Array(bytes.prefix(1_400))).summary.hasPrefix("tilld[77]: SIGSEGV"))
        let name = "core.tilld.1000.0123456789abcdef0123456789abcdef.77.1795346012000000"
        #expect(recognize(Array(bytes.prefix(60)), name: name).summary == "tilld[77]: core dump")
    }

    @Test("a real core of a small program is read")
    func realCore() throws {
        let crash = try #require(recognize(try CorpusFile.bytes(of: "core")).crash)
        #expect(crash.crashedThread?.frames.map(\.moduleOffset) == [0x1139])
        #expect(crash.images.count == 3)
        #expect(crash.images.first?.path.hasSuffix("/cdyn") == true)
    }

    @Test("programs, libraries and object files are no cores", arguments: [1, 2, 3] as [UInt8])
    func otherFiles(type: UInt8) {
        var bytes = self.core().bytes
        bytes[16] = type
        #expect(recognize(bytes).format == "binary")
    }
}
