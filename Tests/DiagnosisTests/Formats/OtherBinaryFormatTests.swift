import Diagnosis
import Testing

@Suite("Compressed cores, and dumps of kernels and of Apple's processes")
struct OtherBinaryFormatTests {
    private static let boot = "722de294b4804167b16b0a7ea2d17841"

    @Test(
        "the first bytes tell the compression, the name the process",
        arguments: [
            ("zstd", [0x28, 0xb5, 0x2f, 0xfd, 0]), ("lz4", [0x04, 0x22, 0x4d, 0x18, 0x60]),
            ("lz4", [0x02, 0x21, 0x4c, 0x18, 0x60]), ("xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0]),
            ("bzip2", [0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0]),
            ("lzma", [0x5d, 0, 0, 0x80, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0, 1, 2, 3, 4, 5]),
            // A frame for somebody else stands first.
            ("zstd", [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 7, 7, 0x28, 0xb5, 0x2f, 0xfd]),
            ("zstd", [0x5f, 0x2a, 0x4d, 0x18, 255, 0, 0, 0, 7]),
        ] as [(String, [UInt8])])
    func compression(format: String, bytes: [UInt8]) throws {
        let core = recognize(bytes, name: "core.camera.1000.\(Self.boot).2211.1795346012000000.zst")
        #expect(core.format == format)
        #expect(core.kind == .crash)
        #expect(core.summary == "camera[2211]: core dump (\(format))")
        #expect(core.crash?.occurredAt == 1_795_346_012_000)
        #expect(recognize(bytes).format == format)
        #expect(recognize(bytes).kind == .other)
        #expect(recognize(bytes).contentType.hasPrefix("application/"))
    }

    @Test(
        "systemd's names are understood, and others are not guessed at",
        arguments: [
            ("core.my.worker.1000.\(boot).3209.1795346012000000", "my.worker[3209]"),
            ("core.my\\x2eworker\\x20\\x5c2.0.\(boot).1.1795346012000000.xz", "my.worker \\2[1]"),
            ("core.Web\\x20Content.1000.\(boot).3209.1795346012000000.lz4", "Web Content[3209]"),
            ("core.tilld.1000.host.3209.1795346012", nil), ("core.tilld.3209", nil), ("core.zst", nil),
            ("core.tilld.till.\(boot).3209.1795346012000000", nil), ("core..1000.\(boot).3209.1795346012000000", nil),
        ] as [(String, String?)])
    func names(name: String, subject: String?) {
        let diagnosis = recognize([0x28, 0xb5, 0x2f, 0xfd, 0], name: name)
        #expect(diagnosis.crash?.subject() == subject)
        #expect(diagnosis.kind == (subject == nil ? .other : .crash))
    }

    @Test(
        "text that begins as a compressed file does is text", arguments: ["BZh9 is a header\n", "]\0\0 text\n", "BZh"])
    func otherBeginnings(text: String) {
        let format = recognize(text).format
        #expect(["text", "binary"].contains(format))
    }

    @Test(
        "text that begins with a mark is text",
        arguments: [
            "plcrashreporter 1.11 is a library\n", "MDMP is the mark of a minidump\n", "KDUMP   is a mark\n",
            "PAGEDUMP is another one\n", "makedumpfile is a program\n",
        ])
    func talk(text: String) {
        #expect(recognize(text).format == "text")
    }

    @Test("the notes of a kernel's memory tell the kernel and the time")
    func kernelMemory() throws {
        var core = CoreForTests()
        core.addThread(0, signal: 0)
        let information = "OSRELEASE=6.1.0-26-amd64\nPAGESIZE=4096\nCRASHTIME=1764321012\n"
        core.notes.append(CoreForTests.Note(owner: "VMCOREINFO", type: 0, content: Array(information.utf8)))
        let diagnosis = recognize(core.bytes)
        #expect(diagnosis.format == "vmcore")
        #expect(diagnosis.kind == .crash)
        #expect(!diagnosis.isAssumed)
        #expect(diagnosis.summary == "Linux 6.1.0-26-amd64: kernel crash dump")
        #expect(diagnosis.crash?.occurredAt == 1_764_321_012_000)
        core.notes.removeLast()
        core.notes.append(CoreForTests.Note(owner: "QEMU", type: 0, content: [UInt8](repeating: 0, count: 440)))
        #expect(recognize(core.bytes).isAssumed)
        #expect(recognize(core.bytes).summary == "Linux: dump of a virtual machine")
    }

    /// A dump as `makedumpfile` writes it.
    private func compressedDump(isBigEndian: Bool = false) -> BinaryWriter {
        var dump = BinaryWriter(bytes: [UInt8](repeating: 0, count: 8_192), isBigEndian: isBigEndian)
        dump.put("KDUMP   ", at: 0)
        dump.put(UInt32(6), at: 8)
        for (index, text) in ["Linux", "till-7", "6.1.0-26-amd64", "#1 SMP", "x86_64"].enumerated() {
            dump.put(text, at: 12 + index * 65)
        }
        dump.put(UInt32(4_096), at: 428)
        let information = "CRASHTIME=1764321012\n"
        dump.put(UInt64(6_000), at: 4_096 + 32)
        dump.put(UInt64(information.utf8.count), at: 4_096 + 40)
        dump.put(information, at: 6_000)
        return dump
    }

    @Test("a compressed dump of the kernel tells the same, in both byte orders and in pieces")
    func compressedKernelMemory() {
        let dump = self.compressedDump().bytes
        var pieces = BinaryWriter(isBigEndian: true)
        pieces.append("makedumpfile", paddedTo: 16)
        pieces.append(UInt64.self, 1, 1)
        pieces.pad(to: 4_096)
        pieces.append(UInt64.self, 0, UInt64(dump.count))
        for bytes in [dump, self.compressedDump(isBigEndian: true).bytes, pieces.bytes + dump] {
            let diagnosis = recognize(bytes)
            #expect(diagnosis.format == "vmcore")
            #expect(diagnosis.summary == "Linux 6.1.0-26-amd64: kernel crash dump")
            #expect(diagnosis.crash?.system.architecture == "x86_64")
            #expect(diagnosis.crash?.occurredAt == 1_764_321_012_000)
        }
        #expect(recognize(Array(dump.prefix(12))).summary == "Linux: kernel crash dump")
    }

    @Test("a dump of Windows names its stop error", arguments: [true, false])
    func windows(isWide: Bool) {
        var dump = BinaryWriter(bytes: [UInt8](repeating: 0, count: 4_200))
        dump.put(isWide ? "PAGEDU64" : "PAGEDUMP", at: 0)
        dump.put(UInt32(19_045), at: 12)
        dump.put(UInt32(isWide ? 0x8664 : 0x14c), at: isWide ? 0x30 : 0x20)
        dump.put(UInt32(0xd1), at: isWide ? 0x38 : 0x28)
        dump.put(UInt64(133_769_394_125_000_000), at: isWide ? 0xfa8 : 0xfc0)
        let diagnosis = recognize(dump.bytes)
        #expect(diagnosis.format == "windows-kernel-dump")
        #expect(diagnosis.summary == "Windows: DRIVER_IRQL_NOT_LESS_OR_EQUAL")
        #expect(diagnosis.crash?.cause.code == "0xd1")
        #expect(diagnosis.crash?.system.version == "build 19045")
        #expect(diagnosis.crash?.occurredAt == 1_732_465_812_500)
        dump.put(UInt32(0x161), at: isWide ? 0x38 : 0x28)
        #expect(recognize(dump.bytes).kind == .diagnostic)
    }

    @Test("a core of macOS tells its threads' addresses, and other Mach-O files are none")
    func machO() throws {
        var core = BinaryWriter()
        core.append(UInt32.self, 0xfeed_facf, 0x0100_000c, 2, 4, 2, 0, 0, 0)
        core.append(UInt32.self, 0x19, 8, 4, 8 + 8 + 68 * 4, 6, 68)
        let state = core.bytes.count
        core.pad(to: state + 68 * 4)
        core.put(UInt64(0x1_0000_4444), at: state + 32 * 8)
        let diagnosis = recognize(core.bytes)
        #expect(diagnosis.format == "macho-core")
        #expect(diagnosis.summary == "core dump (arm64e)")
        #expect(diagnosis.crash?.threads.first?.frames.map(\.address) == [0x1_0000_4444])
        core.put(UInt32(2), at: 12)
        #expect(recognize(core.bytes).format == "binary")
    }
}
