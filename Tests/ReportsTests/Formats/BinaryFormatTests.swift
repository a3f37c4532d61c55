import Reports
import Testing

@Suite("Binary formats")
struct BinaryFormatTests {
    /// Integers one after the other, as a file of that byte order has them.
    private struct Writer {
        var bytes: [UInt8] = []
        var isBigEndian = false

        mutating func append<Value: FixedWidthInteger>(_: Value.Type, _ values: Value...) {
            for value in values {
                let ordered = self.isBigEndian ? value.bigEndian : value.littleEndian
                self.bytes += withUnsafeBytes(of: ordered) { Array($0) }
            }
        }

        mutating func append(_ text: String, paddedTo count: Int) {
            self.bytes += Array(text.utf8) + [UInt8](repeating: 0, count: count - text.utf8.count)
        }

        mutating func pad(to count: Int) {
            self.bytes += [UInt8](repeating: 0, count: count - self.bytes.count)
        }
    }

    @Test("A core dump of a 32-bit process is read in both byte orders", arguments: [true, false])
    func narrowCore(isBigEndian: Bool) {
        var core = Writer(bytes: [0x7f, 0x45, 0x4c, 0x46, 1, isBigEndian ? 2 : 1], isBigEndian: isBigEndian)
        core.pad(to: 16)
        core.append(UInt16.self, 4)
        core.pad(to: 28)
        core.append(UInt32.self, 52)
        core.pad(to: 42)
        core.append(UInt16.self, 32, 1)
        core.pad(to: 52)
        // One segment of notes: the status of a thread, and the process.
        core.append(UInt32.self, 4, 84, 0, 0, 188, 0, 0, 0)
        core.append(UInt32.self, 5, 24, 1)
        core.append("CORE", paddedTo: 8)
        core.append(UInt32.self, 7, 0, 0, 0, 0, 0)
        core.append(UInt32.self, 5, 124, 3)
        core.append("CORE", paddedTo: 8)
        core.append(UInt32.self, 0, 0, 0, 77, 0, 0, 0)
        core.append("worker", paddedTo: 16)
        core.append("/bin/worker -v", paddedTo: 80)
        let recognition = recognize(core.bytes)
        #expect(recognition.summary == "SIGBUS, worker[77], args: /bin/worker -v")
        #expect(recognition.contentType == "application/x-coredump")
    }

    @Test("A minidump of Linux names its signal")
    func linuxMinidump() {
        var dump = Writer()
        dump.append("MDMP", paddedTo: 4)
        dump.append(UInt32.self, 0xa793, 2, 32, 0, 5, 0, 0)
        dump.append(UInt32.self, 6, 32, 56, 7, 24, 88)
        dump.append(UInt32.self, 21, 0, 11, 0, 0, 0, 0x10, 0)
        dump.append(UInt32.self, 0, 0, 0, 0, 0, 0x8201)
        #expect(recognize(dump.bytes).summary == "time 5, 2 streams, SIGSEGV at 0x10 thread 21, Linux")
    }

    @Test("Zstandard is a core dump when systemd named it")
    func zstandard() {
        let frame: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0]
        let core = recognize(frame, name: "core.my.worker.1000.0123456789abcdef.3209.1795346012000000.zst")
        #expect(core.summary == "zstd, core of my.worker[3209]")
        #expect(core.kind == .crash)
        #expect(recognize(frame, name: "core.zst").kind == .other)
        #expect(recognize(frame).contentType == "application/zstd")
    }

    @Test("A journal file tells its number of entries")
    func journalFile() {
        var header = Writer()
        header.append("LPKSHHRH", paddedTo: 152)
        #expect(recognize(header.bytes).summary == "journal file")
        #expect(recognize(header.bytes).kind == .log)
        header.append(UInt64.self, 3)
        #expect(recognize(header.bytes).summary == "journal file, 3 entries")
    }

    @Test("PLCrashReporter tells its version")
    func plCrash() {
        let recognition = recognize(Array("plcrash".utf8) + [1, 10, 0])
        #expect(recognition.format == "plcrash")
        #expect(recognition.summary == "PLCrashReporter report, version 1")
        #expect(recognition.kind == .crash)
    }
}
