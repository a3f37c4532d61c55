import Diagnosis
import Testing

@Suite("Reports that are protocol buffers")
struct ProtobufFormatTests {
    /// A PLCrashReporter report of an app that got a signal, with or without an exception.
    private func report(
        base: UInt64 = 0x1_0000_0000, offset: UInt64 = 0x4444, hasException: Bool = false, isRequested: Bool = false
    ) -> [UInt8] {
        let report = ProtobufWriter { report in
            report.message(1) { system in
                system.number(1, 1)
                system.text(2, "17.4.1")
                system.number(3, 6)
                system.number(4, 1_795_853_584)
            }
            report.message(2) { application in
                application.text(1, "com.example.till")
                application.text(2, "412")
                application.text(3, "2.1.0")
            }
            for (number, address) in [(0, 0x1_8000_1000), (1, base + offset)] {
                report.message(3) { thread in
                    thread.number(1, UInt64(number))
                    thread.message(2) { frame in
                        frame.number(3, address)
                        if number == 1 { frame.message(6) { $0.text(1, "-[Drawer kick]") } }
                    }
                    thread.number(3, UInt64(number))
                }
            }
            let name = "/private/var/containers/Bundle/Application/9A1B/Till.app/Till"
            for (path, base) in [(name, base), ("/usr/lib/libobjc.A.dylib", 0x1_8000_0000)] {
                report.message(4) { image in
                    image.number(1, base)
                    image.number(2, 0x10_0000)
                    image.text(3, path)
                    image.data(4, [0xde, 0xad, 0xbe, 0xef, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
                }
            }
            if hasException {
                report.message(5) { exception in
                    exception.text(1, "NSRangeException")
                    exception.text(2, "index 7 beyond bounds [0 .. 2]")
                    exception.message(3) { $0.number(3, base + 0x5555) }
                }
            }
            report.message(6) { signal in
                signal.text(1, "SIGSEGV")
                signal.text(2, "SEGV_MAPERR")
                signal.number(3, 0x10)
            }
            report.message(7) { process in
                process.text(1, "Till")
                process.number(2, 4_130)
                process.text(3, name)
            }
            report.message(8) { machine in
                machine.text(1, "iPhone15,2")
                machine.message(2) { processor in
                    processor.number(1, 1)
                    processor.number(2, 0x0100_000c)
                    processor.number(3, 2)
                }
            }
            report.message(9) { $0.number(1, isRequested ? 1 : 0) }
        }
        return Array("plcrash".utf8) + [1] + report.bytes
    }

    @Test("PLCrashReporter tells the program, the fault, the threads and the images")
    func plCrash() throws {
        let diagnosis = recognize(self.report())
        #expect(diagnosis.format == "plcrash")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "Till[4130]: SIGSEGV (SEGV_MAPERR) at 0x10 in -[Drawer kick]")
        let crash = try #require(diagnosis.crash)
        #expect(crash.version == "2.1.0")
        #expect(crash.system == Crash.System(name: "iOS", version: "17.4.1", architecture: "arm64e"))
        #expect(crash.occurredAt == 1_795_853_584_000)
        #expect(crash.crashedThread?.number == 1)
        #expect(crash.crashedThread?.frames.first?.moduleOffset == 0x4444)
        #expect(crash.threads.first?.frames.first?.isOwn == false)
        #expect(crash.images.first?.buildID == "deadbeef000102030405060708090a0b")
        #expect(crash.images.first?.endAddress == 0x1_0010_0000)
    }

    @Test("an exception is the cause, and its stack the crashed one")
    func exception() throws {
        let diagnosis = recognize(self.report(hasException: true))
        #expect(diagnosis.summary == "Till[4130]: NSRangeException: index 7 beyond bounds [0 .. 2] in Till+0x5555")
        #expect(diagnosis.crash?.cause.signal == "SIGSEGV")
    }

    @Test("a report that the program asked for is no crash")
    func requested() {
        #expect(recognize(self.report(isRequested: true)).kind == .diagnostic)
    }

    @Test("the same fault has one signature wherever the program is loaded")
    func signatures() throws {
        let signature = try #require(recognize(self.report()).signature)
        #expect(recognize(self.report(base: 0x1_0440_0000)).signature == signature)
        #expect(recognize(self.report(hasException: true)).signature != signature)
    }

    @Test("a report that is cut anywhere tells what is left")
    func cutReport() {
        let bytes = self.report()
        for count in 8..<bytes.count { #expect(recognize(Array(bytes.prefix(count))).format == "plcrash") }
        #expect(recognize(Array(bytes.prefix(8))).summary == "PLCrashReporter: crash")
        #expect(recognize(Array(bytes.dropLast(60))).summary.contains("SIGSEGV"))
    }

    /// A tombstone of Android as a protocol buffer.
    private func tombstone(signal: String = "SIGABRT", relative: UInt64 = 0x1a2c) -> [UInt8] {
        ProtobufWriter { tombstone in
            tombstone.number(1, 1)
            tombstone.text(2, "google/oriole/oriole:14/UQ1A.240105.004/11206848:user/release-keys")
            tombstone.text(3, "MP1.0")
            tombstone.text(4, "2026-11-28 08:00:00.004711+0100")
            tombstone.number(5, 4_130)
            tombstone.number(6, 4_131)
            tombstone.text(9, "/system/bin/tilld")
            tombstone.text(9, "--token=hunter2")
            tombstone.message(10) { value in
                value.number(1, 6)
                value.text(2, signal)
                value.text(4, "SI_QUEUE")
            }
            tombstone.text(14, "drawer is open")
            tombstone.message(16) { entry in
                entry.number(1, 4_131)
                entry.message(2) { thread in
                    thread.number(1, 4_131)
                    thread.text(2, "settle-2")
                    for (file, function, build) in [
                        ("/apex/com.android.runtime/lib64/bionic/libc.so", "abort", "aa01"),
                        ("/data/app/lib/arm64/libtill.so", "till::settle(int)", "bb02"),
                    ] {
                        thread.message(4) { frame in
                            frame.number(1, relative)
                            frame.number(2, 0x7000_0000 + relative)
                            frame.text(4, function)
                            frame.text(6, file)
                            frame.text(8, build)
                        }
                    }
                }
            }
        }.bytes
    }

    @Test("a tombstone tells the program, the message and the stack, and no further argument")
    func tombstoneOfAndroid() throws {
        let diagnosis = recognize(self.tombstone(), name: "tombstone_07.pb")
        #expect(diagnosis.format == "android-tombstone-proto")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "tilld[4130]: SIGABRT: drawer is open in till::settle(int)")
        let crash = try #require(diagnosis.crash)
        #expect(crash.system == Crash.System(name: "Android", version: "14", architecture: "arm64"))
        #expect(crash.occurredAt == 1_795_849_200_004)
        #expect(crash.crashedThread?.name == "settle-2")
        #expect(crash.crashedThread?.frames.map(\.isOwn) == [false, true])
        #expect(crash.images.map(\.buildID) == ["aa01", "bb02"])
        #expect(!String(describing: crash).contains("hunter2"))
    }

    @Test("a tombstone that was asked for is no crash, and other messages are no tombstones")
    func otherMessages() {
        #expect(recognize(self.tombstone(signal: "<debuggerd signal>")).kind == .diagnostic)
        let message = ProtobufWriter { message in
            message.number(1, 1)
            message.text(2, "http://example.com/a")
            message.text(3, "b")
        }
        #expect(recognize(message.bytes).crash == nil)
    }
}
