import Diagnosis
import Testing

@Suite("Ends of .NET processes")
struct DotNetTests {
    @Test("inner exceptions are causes, and the stack goes through all of them")
    func aggregate() throws {
        let diagnosis = recognize(
            """
            info: Till[0] started
            Unhandled exception. System.AggregateException: One or more errors occurred. (No such entry.)
             ---> Stock.EntryException: No such entry.
               at Stock.Ledger.Post(Entry entry) in /src/Stock/Ledger.cs:line 88
               --- End of inner exception stack trace ---
               at System.Threading.Tasks.Task.ThrowIfExceptional(Boolean includeTaskCanceledExceptions)
            --- End of stack trace from previous location ---
               at Stock.Program.<>c.<Main>b__0_0() in C:\\src\\Stock\\Program.cs:line 24
             ---> (Inner Exception #1) System.IO.IOException: disk<---

            """)
        #expect(diagnosis.format == "dotnet-unhandled")
        #expect(diagnosis.kind == .crash)
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.type == "System.AggregateException")
        #expect(crash.earlierCauses.first == Crash.Cause(type: "Stock.EntryException", message: "No such entry."))
        #expect(crash.earlierCauses.count == 2)
        #expect(crash.place?.function == "Stock.Ledger.Post")
        #expect(crash.crashedThread?.frames.map(\.isOwn) == [true, false, true])
        #expect(crash.crashedThread?.frames.last?.file == "C:\\src\\Stock\\Program.cs")
        #expect(crash.crashedThread?.frames.last?.line == 24)
    }

    @Test(
        "each form of an end has its type",
        arguments: [
            ("Unhandled Exception: System.InvalidOperationException: x", "System.InvalidOperationException"),
            ("Unhandled Exception:\nSystem.InvalidOperationException: x", "System.InvalidOperationException"),
            ("Process terminated. Assertion failed.\nx", "Process terminated"),
            ("Fatal error. System.AccessViolationException: x", "System.AccessViolationException"),
            ("Fatal error. Internal CLR error. (0x80131506)", "Fatal error"),
            ("Stack overflow.\nRepeat 24099 times:\n--------------------------------", "Stack overflow"),
        ])
    func forms(title: String, type: String) {
        let diagnosis = recognize("\(title)\n   at Till.Ledger.Post(Int32)\n--------------------------------\n")
        #expect(diagnosis.crash?.cause.type == type)
        #expect(diagnosis.crash?.crashedThread?.frames.map(\.function) == ["Till.Ledger.Post"])
        #expect(diagnosis.kind == .crash)
    }

    @Test("a file of Windows is shown without its folders")
    func windows() {
        let diagnosis = recognize(
            "Unhandled exception. System.Exception: x\n   at Till.Cart.Pay() in C:\\src\\Till\\Cart.cs:line 4\n")
        #expect(diagnosis.summary == "dotnet: System.Exception: x in Till.Cart.Pay at Cart.cs:4")
    }

    @Test("the frames of Mono are read")
    func mono() {
        let diagnosis = recognize(
            """
            Unhandled Exception:
            System.NullReferenceException: Object reference not set to an instance of an object
              at Till.Ledger.Post (System.Int32 n) [0x00001] in /src/Ledger.cs:12
              at Till.Program.Main () [0x00001] in <0dc1e9ab45f5485ab8cbb2b6cb3fc4b5>:0

            """)
        #expect(
            diagnosis.summary
                == "dotnet: System.NullReferenceException: Object reference not set to an instance of an object in Till.Ledger.Post at Ledger.cs:12"
        )
        #expect(diagnosis.crash?.crashedThread?.frames.last?.file == nil)
    }

    @Test(
        "text that only looks like it is no crash",
        arguments: [
            "Unhandled exception. See the log.\n", "Process terminated. Goodbye.\n", "Stack overflow.\nis a web site\n",
            "Fatal error. Please restart.\n",
        ])
    func lookAlikes(text: String) {
        #expect(recognize(text).kind == .log)
    }
}
