import Diagnosis
import TestSupport
import Testing

@Suite("Minidumps")
struct MinidumpTests {
    private static let modules = [
        MinidumpForTests.Module(path: "/opt/till/tilld", base: 0x40_0000),
        MinidumpForTests.Module(path: "/usr/lib/x86_64-linux-gnu/libc.so.6", base: 0x7f00_0000_0000),
    ]

    /// A dump of two threads on Linux, of which the second got SIGSEGV.
    private func dump(offset: UInt64 = 0x1a2c, base: UInt64 = 0x40_0000) -> MinidumpForTests {
        var dump = MinidumpForTests()
        dump.addException(11, flags: 1, address: 0x18, thread: 4_131, instruction: base + offset)
        dump.addThreads([(4_130, 0x7f00_0000_1000), (4_131, 0x7f00_0000_2000)])
        dump.addModules([MinidumpForTests.Module(path: "/opt/till/tilld", base: base), Self.modules[1]])
        dump.addSystem(platform: 0x8201, text: "Linux 6.1.0-26-amd64 #1 SMP Debian x86_64")
        return dump
    }

    @Test("the fault, the program, the place and the threads are read, in whatever order the streams are")
    func wholeDump() throws {
        var dump = self.dump()
        var names = dump.empty()
        names.append(UInt32(1))
        names.append(UInt32(4_131))
        names.append(UInt64(dump.store(text: "settle-2")))
        dump.add(24, names.bytes)
        let diagnosis = recognize(dump.bytes)
        #expect(diagnosis.format == "minidump")
        #expect(diagnosis.contentType == "application/x-dmp")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "tilld[4130]: SIGSEGV (SEGV_MAPERR) at 0x18 in tilld+0x1a2c")
        let crash = try #require(diagnosis.crash)
        #expect(crash.system == Crash.System(name: "Linux", version: "6.1.0-26-amd64", architecture: "x86_64"))
        #expect(crash.occurredAt == 1_795_853_584_000)
        #expect(crash.crashedThread?.name == "settle-2")
        // The registers of the fault count, not those of the dump.
        #expect(crash.crashedThread?.frames.map(\.address) == [0x40_1a2c])
        #expect(crash.threads.map(\.isCrashed) == [false, true])
        #expect(crash.threads.first?.frames.map(\.isOwn) == [false])
        #expect(crash.images.map(\.endAddress) == [0x41_0000, 0x7f00_0001_0000])
    }

    @Test("the same fault has one signature wherever the program is loaded, and another place has another one")
    func signatures() throws {
        let signature = try #require(recognize(self.dump().bytes).signature)
        #expect(recognize(self.dump(base: 0x5500_0000_0000).bytes).signature == signature)
        #expect(recognize(self.dump(offset: 0x1b00).bytes).signature != signature)
    }

    @Test(
        "exceptions of Windows have their names",
        arguments: [
            (0xc000_0005, [1, 0x45], "EXCEPTION_ACCESS_VIOLATION: writing 0x45"),
            (0xc000_0005, [8, 0], "EXCEPTION_ACCESS_VIOLATION: executing 0x0"),
            (0xc000_0005, [], "EXCEPTION_ACCESS_VIOLATION"),
            (0xc000_0409, [7], "STATUS_STACK_BUFFER_OVERRUN: fast fail FATAL_APP_EXIT"),
            (0xe06d_7363, [], "C++ exception"), (0xe043_4352, [], ".NET exception"),
            (0x8000_0003, [], "EXCEPTION_BREAKPOINT"), (0xc0de_0001, [], "exception 0xc0de0001"),
        ] as [(UInt32, [UInt64], String)])
    func windows(code: UInt32, parameters: [UInt64], text: String) throws {
        var dump = MinidumpForTests()
        dump.addSystem(platform: 2, version: (10, 0, 19_045))
        dump.addModules([
            MinidumpForTests.Module(path: "C:\\Program Files\\Till\\till.exe", base: 0x1_4000_0000),
            MinidumpForTests.Module(path: "C:\\Windows\\System32\\ntdll.dll", base: 0x7ff8_0000_0000),
        ])
        dump.addException(
            code, address: 0x1_4000_beef, thread: 3, parameters: parameters, instruction: 0x1_4000_beef)
        var miscellaneous = dump.empty(24)
        miscellaneous.put(UInt32(1), at: 4)
        miscellaneous.put(UInt32(911), at: 8)
        dump.add(15, miscellaneous.bytes)
        let diagnosis = recognize(dump.bytes)
        #expect(diagnosis.summary == "till.exe[911]: \(text) in till.exe+0xbeef")
        #expect(diagnosis.crash?.system == Crash.System(name: "Windows", version: "10.0.19045", architecture: "x86_64"))
        #expect(diagnosis.crash?.cause.signal == nil)
    }

    @Test("exceptions of Apple's systems have their names and signals")
    func apple() throws {
        var dump = MinidumpForTests()
        dump.processor = (12, 264, 912)
        dump.addSystem(platform: 0x8101, version: (14, 5, 0))
        dump.addModules([
            MinidumpForTests.Module(path: "/Applications/Till.app/Contents/MacOS/Till", base: 0x1_0000_0000),
            MinidumpForTests.Module(path: "/usr/lib/libobjc.A.dylib", base: 0x1_8000_0000),
        ])
        dump.addException(1, flags: 1, address: 0x10, thread: 259, instruction: 0x1_0000_4444)
        let diagnosis = recognize(dump.bytes)
        #expect(diagnosis.summary == "Till: EXC_BAD_ACCESS (KERN_INVALID_ADDRESS) at 0x10 in Till+0x4444")
        #expect(diagnosis.crash?.cause.signal == "SIGSEGV")
        #expect(diagnosis.crash?.system.architecture == "arm64")
    }

    @Test(
        "the instruction is read on each processor",
        arguments: [
            (0, 0xb8, 716), (1, 312, 560), (3, 4, 1_000), (5, 64, 368), (9, 0xf8, 1_232), (12, 264, 912),
            (0x8002, 8, 1_160), (0x8003, 264, 800), (0x8006, 8, 536),
        ] as [(UInt16, Int, Int)])
    func processors(number: UInt16, instruction: Int, byteCount: Int) {
        var dump = MinidumpForTests()
        dump.processor = (number, instruction, byteCount)
        dump.addSystem(platform: 0x8203)
        dump.addModules(Self.modules)
        dump.addException(7, flags: 2, address: 0x9, thread: 1, instruction: 0x40_0abc)
        #expect(recognize(dump.bytes).crash?.crashedThread?.frames.map(\.moduleOffset) == [0xabc])
    }

    @Test(
        "a dump that the program asked for is no crash",
        arguments: [(0xffff_ffff, 0x8201), (0x0517_a7ed, 2), (0x4350_7378, 0x8101)] as [(UInt32, UInt32)])
    func requested(code: UInt32, platform: UInt32) {
        var dump = MinidumpForTests()
        dump.addSystem(platform: platform)
        dump.addModules(Self.modules)
        dump.addException(code, thread: 4_130, instruction: 0x40_0abc)
        let diagnosis = recognize(dump.bytes)
        #expect(diagnosis.kind == .diagnostic)
        #expect(diagnosis.summary.hasPrefix("tilld"))
        #expect(diagnosis.summary.contains("requested dump"))
    }

    @Test("a dump without an exception is no crash, one whose exception was cut off is one")
    func withoutException() {
        var dump = MinidumpForTests()
        dump.addSystem(platform: 2)
        dump.addModules(Self.modules)
        #expect(recognize(dump.bytes).kind == .diagnostic)
        dump.addException(0xc000_0005, thread: 1)
        #expect(recognize(Array(dump.bytes.dropLast(170))).kind == .crash)
        #expect(recognize(Array(dump.bytes.prefix(40))).kind == .crash)
    }

    @Test("a program that does not answer is a hang")
    func hang() {
        var dump = MinidumpForTests()
        dump.addSystem(platform: 2)
        dump.addException(0xcfff_ffff, thread: 1)
        #expect(recognize(dump.bytes).kind == .hang)
    }

    @Test("build ids of ELF files, of PDBs and of Mach-O files are read")
    func buildIDs() {
        let guid: [UInt8] = [0x44, 0x33, 0x22, 0x11, 0x66, 0x55, 0x88, 0x77, 9, 10, 11, 12, 13, 14, 15, 16]
        func identifiers(platform: UInt32, isOfCrashpad: Bool = false) -> [String?] {
            var dump = MinidumpForTests()
            dump.addSystem(platform: platform)
            dump.addModules([
                MinidumpForTests.Module(
                    path: "/a", base: 0x1000, record: Array("RSDS".utf8) + guid + [1, 0, 0, 0] + Array("a.pdb\0".utf8)),
                MinidumpForTests.Module(
                    path: "/b", base: 0x2000, record: Array("LEpB".utf8) + [0xde, 0xad, 0xbe, 0xef]),
                MinidumpForTests.Module(path: "/c", base: 0x3000),
            ])
            if isOfCrashpad { dump.add(0x4350_0001, [UInt8](repeating: 0, count: 52)) }
            return recognize(dump.bytes).crash?.images.map(\.buildID) ?? []
        }
        let text = "112233445566778809" + "0a0b0c0d0e0f10"
        #expect(identifiers(platform: 2) == [text + "1", "deadbeef", nil])
        #expect(identifiers(platform: 0x8101) == [text, "deadbeef", nil])
        // Breakpad keeps the bytes of a build id as they are, Crashpad makes a GUID of them.
        #expect(identifiers(platform: 0x8201) == ["443322116655887709" + "0a0b0c0d0e0f10", "deadbeef", nil])
        #expect(identifiers(platform: 0x8201, isOfCrashpad: true) == [text, "deadbeef", nil])
    }

    @Test("the program of a dump without modules is the first argument's, and no other argument is shown")
    func arguments() throws {
        var dump = MinidumpForTests()
        dump.addSystem(platform: 0x8203)
        dump.addException(6, flags: 0xffff_fffa, thread: 99)
        dump.add(0x4767_0006, Array("com.example.till\0--token=hunter2\0".utf8))
        dump.add(0x4767_0004, Array("Name:\tle.till\nUmask:\t0077\nPid:\t4130\n".utf8))
        let diagnosis = recognize(dump.bytes)
        #expect(diagnosis.summary == "com.example.till[4130]: SIGABRT")
        #expect(!String(describing: try #require(diagnosis.crash)).contains("hunter2"))
    }

    @Test("Crashpad's annotations tell the version")
    func annotations() {
        var dump = self.dump()
        func text(_ text: String) -> UInt32 {
            var bytes = dump.empty()
            bytes.append(UInt32(text.utf8.count))
            bytes.bytes += Array(text.utf8) + [0]
            return dump.store(bytes.bytes)
        }
        var list = dump.empty()
        list.append(UInt32.self, 2, text("prod"), text("Till"), text("ver"), text("2.1.0"))
        let offset = dump.store(list.bytes)
        var information = dump.empty(52)
        information.put(UInt32(list.bytes.count), at: 36)
        information.put(offset, at: 40)
        dump.add(0x4350_0001, information.bytes)
        #expect(recognize(dump.bytes).crash?.version == "2.1.0")
    }

    @Test("the stack of a real dump is followed")
    func realStack() throws {
        let crash = try #require(recognize(try CorpusFile.bytes(of: "test.dmp")).crash)
        let frames = try #require(crash.crashedThread?.frames)
        #expect(frames.map(\.moduleOffset) == [0x429e, 0x4200, 0x53ec, 0x16fd7])
        #expect(frames.map(\.module) == ["test_app.exe", "test_app.exe", "test_app.exe", "kernel32.dll"])
        #expect(frames.map(\.isOwn) == [true, true, true, false])
    }

    @Test("the sender of a signal is no address")
    func abort() {
        var dump = MinidumpForTests()
        dump.addSystem(platform: 0x8201)
        dump.addModules(Self.modules)
        dump.addException(6, address: 0x3e8_0000_1022, thread: 4_130, instruction: 0x40_0abc)
        #expect(recognize(dump.bytes).crash?.cause.address == nil)
    }

    @Test("a dump of a processor with the most significant byte first is read")
    func bigEndian() {
        var dump = MinidumpForTests(isBigEndian: true)
        dump.processor = (3, 4, 1_000)
        dump.addSystem(platform: 0x8101)
        dump.addModules([MinidumpForTests.Module(path: "/Applications/Till", base: 0x1000)])
        dump.addException(6, thread: 1, instruction: 0x1abc)
        #expect(recognize(dump.bytes).summary == "Till: EXC_BREAKPOINT in Till+0xabc")
    }

    @Test("a dump that is cut anywhere is a dump")
    func cut() {
        let bytes = self.dump().bytes
        for count in 4..<bytes.count where count % 3 == 0 {
            #expect(recognize(Array(bytes.prefix(count))).format == "minidump")
        }
    }
}
