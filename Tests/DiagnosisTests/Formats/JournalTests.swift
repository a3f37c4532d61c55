import Diagnosis
import Testing

@Suite("Journals of systemd")
struct JournalTests {
    private let message = """
        Process 3155 (billing) of user 1000 dumped core.

        Module libpay.so.2 with build-id 08d49417149187a2
        Stack trace of thread 3155:
        #0  0x000055d0c1a01139 n/a (billing + 0x1139)
        #1  0x000055d0c1a01180 settle (billing + 0x1180)
        #2  0x00007f3c1d046d68 n/a (libc.so.6 + 0x29d68)

        Stack trace of thread 3156:
        #0  0x00007f3c1d0a9d7c __futex_wait (libc.so.6 + 0x89d7c)
        ELF object binary architecture: AMD x86-64
        """

    /// An entry of the export format. A field with more than one line has its length before it.
    private func entry(_ fields: [(String, String)]) -> [UInt8] {
        var bytes = Array("__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1795850500123456\n".utf8)
        for (name, value) in fields {
            if value.contains("\n") {
                let length = UInt64(value.utf8.count)
                bytes += Array("\(name)\n".utf8) + (0..<8).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) }
                bytes += Array("\(value)\n".utf8)
            } else {
                bytes += Array("\(name)=\(value)\n".utf8)
            }
        }
        return bytes + [0x0a]
    }

    private func coreDump(process: Int = 3_155) -> [(String, String)] {
        [
            ("SYSLOG_IDENTIFIER", "systemd-coredump"), ("COREDUMP_PID", "\(process)"), ("COREDUMP_COMM", "billing"),
            ("COREDUMP_EXE", "/srv/shop/bin/billing"), ("COREDUMP_SIGNAL", "11"), ("COREDUMP_SIGNAL_NAME", "SIGSEGV"),
            ("COREDUMP_TIMESTAMP", "1795850499000000"), ("COREDUMP_CMDLINE", "billing --password secret"),
            (
                "COREDUMP_PACKAGE_JSON",
                #"{"elfArchitecture":"AMD x86-64","/srv/shop/bin/billing":{"version":"1.2","buildId":"aa01"}}"#
            ),
            ("MESSAGE", self.message),
        ]
    }

    private func log(_ line: String, process: Int = 77) -> [(String, String)] {
        [("SYSLOG_IDENTIFIER", "shopd"), ("_PID", "\(process)"), ("MESSAGE", line)]
    }

    @Test("a core dump's entry tells the process, the signal, the stacks, the build ids and the time")
    func coreDump() throws {
        let diagnosis = recognize(self.entry(self.log("started")) + self.entry(self.coreDump()))
        #expect(diagnosis.format == "journal-export")
        #expect(diagnosis.contentType == "application/vnd.fdo.journal")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "billing[3155]: SIGSEGV in settle (2 journal entries)")
        let crash = try #require(diagnosis.crash)
        #expect(crash.version == "1.2")
        #expect(crash.occurredAt == 1_795_850_499_000)
        #expect(crash.system == Crash.System(name: "Linux", architecture: "x86_64"))
        #expect(crash.threads.map(\.number) == [3_155, 3_156])
        #expect(crash.threads.map(\.isCrashed) == [true, false])
        let frames = try #require(crash.crashedThread?.frames)
        #expect(frames.map(\.isOwn) == [true, true, false])
        #expect(frames[0].moduleOffset == 0x1139)
        #expect(crash.images.map(\.buildID) == ["08d49417149187a2", "aa01"])
    }

    @Test("two runs of one fault have one signature")
    func signature() {
        let first = recognize(self.entry(self.coreDump())).signature
        #expect(first != nil)
        #expect(recognize(self.entry(self.coreDump(process: 9))).signature == first)
    }

    @Test("what the process wrote before its end becomes the cause's message")
    func lastWords() {
        let words = "thread 'main' panicked at src/main.rs:2:5:"
        let panic = [words, "no till"].flatMap { self.entry(self.log($0, process: 3_155)) }
        let crash = recognize(panic + self.entry(self.coreDump())).crash
        #expect(crash?.cause.type == "SIGSEGV")
        #expect(crash?.cause.message == "panic: no till")
    }

    @Test("a crash in the messages of one process is found between those of others")
    func messages() {
        let lines = ["thread 'main' panicked at src/main.rs:2:5:", "no till", "stack backtrace:", "   0: shopd::open"]
        let entries = lines.flatMap { self.entry(self.log("other", process: 1)) + self.entry(self.log($0)) }
        let diagnosis = recognize(entries)
        #expect(diagnosis.format == "journal-export")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.crash?.program == "shopd")
        #expect(diagnosis.crash?.place?.function == "shopd::open")
        #expect(diagnosis.summary.hasSuffix(" (8 journal entries)"))
        let kernel = recognize(
            self.entry([
                ("_TRANSPORT", "kernel"), ("SYSLOG_IDENTIFIER", "kernel"),
                (
                    "MESSAGE",
                    "a[7]: segfault at 0 ip 000055d0c1a01139 sp 00007ffd4a1b2c30 error 4 in a[55d0c1a01000+1000]"
                ),
            ]))
        #expect(kernel.summary == "a[7]: SIGSEGV: segfault at 0x0 (1 journal entry)")
    }

    @Test("an entry in the window's tail counts too")
    func tail() {
        let many = PayloadWindow.headByteCount / 90 + 5_000
        let bytes = (0..<many).flatMap { _ in self.entry(self.log("a line of no interest to anybody")) }
        let diagnosis = recognize(bytes + self.entry(self.coreDump()))
        #expect(bytes.count > PayloadWindow.headByteCount)
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.crash?.program == "billing")
    }

    @Test("lines of JSON are read alike, with bytes as numbers and with spread objects")
    func lines() {
        let numbers = self.message.utf8.map { "\($0)" }.joined(separator: ",")
        let core =
            #"{"__REALTIME_TIMESTAMP":"2","COREDUMP_COMM":"w","COREDUMP_PID":"9","COREDUMP_SIGNAL_NAME":"SIGBUS","MESSAGE":["#
            + numbers + "]}\n"
        let line = #"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1","MESSAGE":["one","two"]}"# + "\n"
        let diagnosis = recognize(line + core)
        #expect(diagnosis.format == "journal-json")
        #expect(diagnosis.contentType == "application/x-ndjson")
        #expect(diagnosis.summary == "w[9]: SIGBUS in settle (2 journal entries)")
        #expect(recognize(line + line).summary == "2 journal entries")
        #expect(recognize(line + line).kind == .log)
        let pretty = "{\n\t\"__REALTIME_TIMESTAMP\" : \"1\",\n\t\"MESSAGE\" : \"x\"\n}\n"
        #expect(recognize(pretty + pretty).summary == "2 journal entries")
        #expect(recognize(line + "{\"cut\": \n" + core).kind == .crash)
    }

    @Test("a journal's file tells its number of entries, and the core dump among those that are not compressed")
    func file() {
        #expect(recognize(Array("LPKSHHRH".utf8)).summary == "journal file")
        #expect(recognize("LPKSHHRH begins a file of the journal.\n").format == "text")
        #expect(recognize("__CURSOR= is the first field of an entry.\n").format == "text")
        var file = JournalFileWriter()
        file.add(self.log("hello"))
        #expect(recognize(file.bytes).summary == "journal file, 1 entry")
        #expect(recognize(file.bytes).kind == .log)
        file.add(self.coreDump())
        let diagnosis = recognize(file.bytes)
        #expect(diagnosis.format == "journal")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "billing[3155]: SIGSEGV in settle (2 journal entries)")
        for length in stride(from: 0, to: file.bytes.count, by: 11) { _ = recognize(Array(file.bytes.prefix(length))) }
    }

    @Test("an entry at the end of a large file counts too")
    func largeFile() {
        var file = JournalFileWriter()
        for _ in 0..<8_000 { file.add(self.log(String(repeating: "a line of no interest ", count: 7))) }
        #expect(file.bytes.count > PayloadWindow.headByteCount + PayloadWindow.tailByteCount)
        #expect(recognize(file.bytes).kind == .log)
        file.add(self.coreDump())
        for _ in 0..<100 { file.add(self.log("another")) }
        #expect(recognize(file.bytes).crash?.program == "billing")
    }

    @Test("the text of coredumpctl tells the same")
    func coredumpctl() throws {
        let message = self.message.split(separator: "\n", omittingEmptySubsequences: false).joined(
            separator: "\n                ")
        let text = """
                       PID: 3155 (billing)
                    Signal: 11 (SEGV)
                 Timestamp: Sun 2026-11-22 11:13:30 UTC (2min ago)
              Command Line: /srv/shop/bin/billing --password secret
                Executable: /srv/shop/bin/billing
                   Message: \(message)

            """
        let diagnosis = recognize(text)
        #expect(diagnosis.format == "coredump-text")
        #expect(diagnosis.summary == "billing[3155]: SIGSEGV in settle")
        #expect(diagnosis.crash?.occurredAt == 1_795_346_010_000)
        let log = self.message.split(separator: "\n").map { "Nov 28 08:21:40 h systemd-coredump[9]: \($0)\n" }.joined()
        #expect(recognize(log).summary == "billing[3155]: core dump in settle")
        #expect(recognize("[\u{1f855}] Process 7 (a) of user 0 dumped core.\n").summary == "a[7]: core dump")
        #expect(recognize("Process 3155 (billing) is fine.\n").kind == .log)
        #expect(recognize("    Process 1 (a) of user 0 dumped core.\n").kind == .log)
    }
}

/// Writes a journal file of a header and objects that are not compressed.
private struct JournalFileWriter {
    private(set) var bytes = Array("LPKSHHRH".utf8) + [UInt8](repeating: 0, count: 200)
    private var count: UInt64 = 0

    init() {
        self.set(208, at: 88)
    }

    mutating func add(_ fields: [(String, String)]) {
        let places = fields.map { self.append(type: 1, Array(repeating: 0, count: 48) + Array("\($0.0)=\($0.1)".utf8)) }
        let items = places.flatMap { Self.eight(UInt64($0)) + Self.eight(0) }
        _ = self.append(
            type: 3, Self.eight(1) + Self.eight(1_795_850_500_123_456) + Array(repeating: 0, count: 32) + items)
        self.count += 1
        self.set(self.count, at: 152)
    }

    private mutating func append(type: UInt8, _ content: [UInt8]) -> Int {
        self.bytes += Array(repeating: 0, count: (8 - self.bytes.count % 8) % 8)
        let place = self.bytes.count
        self.bytes += [type, 0, 0, 0, 0, 0, 0, 0] + Self.eight(UInt64(content.count + 16)) + content
        return place
    }

    private mutating func set(_ value: UInt64, at offset: Int) {
        self.bytes.replaceSubrange(offset..<offset + 8, with: Self.eight(value))
    }

    private static func eight(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
}
