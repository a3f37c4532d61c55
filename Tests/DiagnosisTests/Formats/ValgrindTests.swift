import Diagnosis
import Testing

@Suite("Protocols of valgrind")
struct ValgrindTests {
    static let head = """
        ==5844== Memcheck, a memory error detector
        ==5844== Using Valgrind-3.19.0 and LibVEX; rerun with -h for copyright info
        ==5844== Command: ./bin/tilld --port 8080

        """
    static let error = """
        ==5844==
        ==5844== Invalid write of size 4
        ==5844==    at 0x48417B4: malloc (vg_replace_malloc.c:381)
        ==5844==    by 0x10A4A1: till::settle(int) (till.cpp:22)
        ==5844==    by 0x10A4D2: main (in /srv/till/bin/tilld)
        ==5844==  Address 0x4a40050 is 0 bytes after a block of size 16 alloc'd
        ==5844==    at 0x48417B4: malloc (vg_replace_malloc.c:381)
        ==5844==

        """
    static let end = """
        ==5844== Process terminating with default action of signal 11 (SIGSEGV): dumping core
        ==5844==  Access not within mapped region at address 0x18
        ==5844==    at 0x10A4A1: till::settle(int) (till.cpp:25)
        ==5844==    by 0x10A4D2: main (main.cpp:9)
        ==5844==
        ==5844== ERROR SUMMARY: 1 errors from 1 contexts (suppressed: 0 from 0)

        """

    @Test("an error that the program survived is a finding")
    func finding() throws {
        let diagnosis = recognize(Self.head + Self.error + "==5844== ERROR SUMMARY: 1 errors from 1 contexts\n")
        #expect(diagnosis.format == "valgrind-text")
        #expect(diagnosis.kind == .diagnostic)
        #expect(
            diagnosis.summary
                == "./bin/tilld[5844] memcheck: Invalid write of size 4 in till::settle(int) at till.cpp:22"
                + " (1 errors from 1 contexts)")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.type == "InvalidWrite")
        #expect(crash.cause.message?.hasPrefix("Invalid write of size 4\nAddress 0x4a40050 is") == true)
        #expect(crash.cause.address == 0x4a40050)
        #expect(crash.crashedThread?.frames.map(\.isOwn) == [false, true, true])
        #expect(crash.crashedThread?.frames.last?.module == "/srv/till/bin/tilld")
    }

    @Test("a race has its stack below the locks, and where a thread was created is no finding")
    func race() {
        let diagnosis = recognize(
            """
            ==7== Helgrind, a thread error detector
            ==7== Command: ./tilld
            ==7== ---Thread-Announcement------------------------------------------
            ==7==
            ==7== Thread #2 was created
            ==7==    at 0x511C08E: clone (in /lib64/libc-2.8.so)
            ==7==    by 0x4E333A4: do_clone (in /lib64/libpthread-2.8.so)
            ==7==
            ==7== Possible data race during read of size 4 at 0x601038 by thread #1
            ==7== Locks held: none
            ==7==    at 0x400606: settle (till.c:13)
            """)
        #expect(
            diagnosis.summary.contains("Possible data race during read of size 4 at 0x601038 by thread #1 in settle"))
        #expect(diagnosis.crash?.cause.type == "Race")
    }

    @Test("a signal that ended the program is a crash, with or without the head of the protocol")
    func fatalSignal() {
        let diagnosis = recognize(Self.head + Self.error + Self.end)
        #expect(diagnosis.kind == .crash)
        #expect(
            diagnosis.summary
                == "tilld[5844]: SIGSEGV: Access not within mapped region at address 0x18 in till::settle(int) at till.cpp:25"
        )
        #expect(diagnosis.crash?.cause.address == 0x18)
        #expect(recognize(Self.end).kind == .crash)
        let terminated = Self.end.replacing("11 (SIGSEGV)", with: "15 (SIGTERM)")
        #expect(recognize(Self.head + terminated).kind == .diagnostic)
    }

    @Test("a protocol without errors has none, and names no arguments")
    func clean() {
        let diagnosis = recognize(
            Self.head + "==5844== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)\n")
        #expect(diagnosis.summary == "./bin/tilld[5844] memcheck: 0 errors from 0 contexts")
        #expect(diagnosis.kind == .diagnostic)
        #expect(diagnosis.crash == nil)
    }

    static let xml = """
        <?xml version="1.0"?>
        <valgrindoutput><pid>7</pid><tool>memcheck</tool><argv><exe>./a&amp;b</exe><arg>secret</arg></argv>
        <error><kind>InvalidRead</kind><what>Invalid read of size 4</what><stack>
        <frame><ip>0x109198</ip><obj>/srv/a</obj><fn>f&lt;int&gt;</fn><dir>/srv/src</dir><file>a.c</file><line>4</line></frame>
        </stack><auxwhat>Address 0x4 is not stack'd</auxwhat></error>
        <fatal_signal><signame>SIGSEGV</signame><sicode>1</sicode><event>Access not within mapped region</event>
        <siaddr>0x18</siaddr><stack><frame><ip>0x1091F4</ip><obj>/srv/a</obj><fn>main</fn></frame></stack></fatal_signal>
        </valgrindoutput>
        """

    @Test("XML is decoded, and a signal in it ended the program")
    func documentWithSignal() throws {
        let diagnosis = recognize(Self.xml)
        #expect(diagnosis.contentType == "application/xml")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "./a&b[7] memcheck: 1 error(s), first InvalidRead in f<int>, SIGSEGV")
        let crash = try #require(diagnosis.crash)
        #expect(
            crash.cause
                == Crash.Cause(
                    type: "SIGSEGV", message: "Access not within mapped region", signal: "SIGSEGV", code: "SEGV_MAPERR",
                    address: 0x18))
        #expect(crash.place?.function == "main")
    }

    @Test("XML that is cut before the signal tells of its first error, and that there may be more")
    func documentThatIsCut() throws {
        let cut = try #require(Self.xml.range(of: "<fatal_signal>"))
        let diagnosis = recognize(String(Self.xml[..<cut.lowerBound]))
        #expect(diagnosis.kind == .diagnostic)
        #expect(diagnosis.summary == "./a&b[7] memcheck: 1+ error(s), first InvalidRead in f<int>")
        #expect(diagnosis.crash?.place?.file == "/srv/src/a.c")
        let large = Self.xml + String(repeating: "\n", count: PayloadWindow.headByteCount)
        #expect(recognize(large).format == "valgrind-xml")
    }

    @Test("two runs have one signature")
    func signature() {
        let text = Self.head + Self.error + Self.end
        let again = text.replacing("5844", with: "91").replacing("0x10A4", with: "0x11B4")
        #expect(recognize(text).signature != nil)
        #expect(recognize(again).signature == recognize(text).signature)
    }

    @Test(
        "numbers between equal signs are no protocol",
        arguments: [
            "==12== \n==12== A heading\n", "==Title==\n", "<valgrindoutput>\n", "Memcheck, a memory error detector\n",
        ])
    func lookAlikes(text: String) {
        #expect(recognize(text).kind == .log)
    }
}

extension String {
    /// Where a text occurs first, without Foundation.
    fileprivate func range(of text: String) -> Range<String.Index>? {
        self.firstRange(of: text)
    }
}
