import Diagnosis
import Testing

@Suite("Problems as Linux distributions collect them")
struct LinuxProblemTests {
    private let apport = """
        ProblemType: Crash
        Architecture: amd64
        Date: Sat Nov 28 08:21:40 2026
        DistroRelease: Ubuntu 24.04
        ExecutablePath: /usr/bin/shopd
        Package: shopd 1.2-3ubuntu1
        ProcCmdline: shopd --password secret
        ProcStatus:
         Name:\tshopd
         Pid:\t3144
        Signal: 11
        SegvReason: reading NULL VMA
        StacktraceTop:
         till_open (till=0x0) at till.c:12
         ?? ()
         __libc_start_main () from /lib/x86_64-linux-gnu/libc.so.6
        CoreDump: base64
         H4sICAAAAAAC/0NvcmVEdW1wAA==

        """

    @Test("a file of apport tells the program, its package, the signal and the stack")
    func apportCrash() throws {
        let diagnosis = recognize(self.apport)
        #expect(diagnosis.format == "apport")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "shopd[3144]: SIGSEGV: reading NULL VMA in till_open at till.c:12")
        let crash = try #require(diagnosis.crash)
        #expect(crash.version == "1.2-3ubuntu1")
        #expect(crash.system == Crash.System(name: "Linux", version: "Ubuntu 24.04", architecture: "x86_64"))
        #expect(crash.crashedThread?.frames.map(\.isOwn) == [true, false, false])
        #expect(diagnosis.signature != nil)
    }

    @Test("the traceback of a program in a file of apport is read by the format of its language")
    func apportTraceback() {
        let text = self.apport.replacing(
            "StacktraceTop:", with: "Traceback:\n thread 'main' panicked at src/a.rs:2:5:\n no till\nX:")
        #expect(recognize(text).crash?.cause.message == "no till")
    }

    @Test(
        "apport also collects what is no crash",
        arguments: [("Hang", "hang"), ("Package", "diagnostic"), ("Bug", "diagnostic")])
    func apportOthers(problem: String, kind: String) {
        let text = self.apport.replacing("ProblemType: Crash", with: "ProblemType: \(problem)")
        #expect(recognize(text).kind.rawValue == kind)
    }

    @Test("files of apport within each other do no harm")
    func apportNested() {
        var text = ""
        for depth in 0..<500 {
            let blanks = String(repeating: " ", count: depth)
            text += "\(blanks)ProblemType: Crash\n\(blanks)Package: a\n\(blanks)Traceback:\n"
        }
        #expect(recognize(text).format == "apport")
    }

    @Test("a problem that ABRT lists tells the program and the signal")
    func abrt() {
        let diagnosis = recognize(
            """
            Id:             4f2a9c1
            Component:      shop
            Reason:         shopd killed by SIGSEGV
            Time stamp:     Sat 28 Nov 2026 08:21:40 AM CET
            Executable:     /usr/bin/shopd
            Crash function: till_open
            Directory:      /var/spool/abrt/ccpp-2026-11-28-08:21:40.123456-3144
            """)
        #expect(diagnosis.format == "abrt")
        #expect(diagnosis.summary == "shopd[3144]: SIGSEGV in till_open")
    }

    @Test("a service that died of a signal has crashed, and one that was told to end has not")
    func service() {
        func exit(_ text: String) -> Diagnosis { recognize("Nov 28 08:21:40 h systemd[1]: shopd.service: \(text)\n") }
        let dump = exit("Main process exited, code=dumped, status=11/SEGV")
        #expect(dump.format == "systemd-exit")
        #expect(dump.kind == .crash)
        #expect(dump.summary == "shopd: SIGSEGV")
        #expect(exit("A process of this unit has been killed by the OOM killer.").summary == "shopd: Out of memory")
        for status in ["killed, status=15/TERM", "killed, status=9/KILL", "exited, status=1/FAILURE"] {
            #expect(exit("Main process exited, code=\(status)").kind == .log)
        }
    }

    @Test(
        "text that only has such fields is none",
        arguments: [
            "ProblemType: Crash\nis a field\n", "Reason:  none\nDirectory: /tmp\n",
            "  ProblemType: Crash\nPackage: a\n",
        ])
    func documentation(text: String) {
        #expect(recognize(text).kind == .log)
    }
}
