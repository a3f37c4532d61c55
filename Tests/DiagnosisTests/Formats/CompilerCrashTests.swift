import Diagnosis
import Testing

@Suite("Crashes of compilers, and of programs in OCaml and Haskell")
struct CompilerCrashTests {
    static let swift = """
        Assertion failed: (type && "no type"), function visit, file CSGen.cpp, line 812.
        Please submit a bug report (https://swift.org/contributing/#reporting-bugs) and include the crash backtrace.
        Stack dump:
        0.\tProgram arguments: /opt/swift/usr/bin/swift-frontend -frontend -c /srv/secret/main.swift
        1.\tSwift version 6.3.1 (swift-6.3.1-RELEASE)
        2.\tWhile evaluating request TypeCheckSourceFileRequest(source_file "main.swift")
         #0 0x000056093b1a7c28 llvm::sys::PrintStackTrace(llvm::raw_ostream&, int) (/opt/swift/usr/bin/swift-frontend+0x7c28)
         #1 0x000056093b1a5e0e llvm::sys::RunSignalHandlers() (/opt/swift/usr/bin/swift-frontend+0x5e0e)
         #2 0x00007f9c40829d8f (/lib/x86_64-linux-gnu/libc.so.6+0x3c04f)
         #3 0x000056093b2f0010 swift::TypeChecker::visit(swift::Decl*) (/opt/swift/usr/bin/swift-frontend+0x10010)
        """

    @Test("a compiler built with LLVM has its assertion, its stack and no arguments")
    func llvm() throws {
        let diagnosis = recognize("[1/3] Compiling main.swift\n" + Self.swift)
        #expect(diagnosis.format == "llvm-crash")
        #expect(
            diagnosis.summary
                == "swift-frontend: Assertion failed: (type && \"no type\") in swift::TypeChecker::visit(swift::Decl*)")
        #expect(diagnosis.crash?.crashedThread?.frames.map(\.isOwn) == [false, false, false, true])
        let lines = Self.swift.split(separator: "\n").dropFirst().joined(separator: "\n")
        let signal = recognize(lines + "\nclang: error: unable to execute command: Segmentation fault (core dumped)\n")
        #expect(signal.crash?.cause.signal == "SIGSEGV")
        #expect(
            signal.crash?.cause.message
                == "While evaluating request TypeCheckSourceFileRequest(source_file \"main.swift\")")
        let again = Self.swift.replacing("0x000056093b", with: "0x000056aaaa")
        #expect(recognize(again).signature == recognize(Self.swift).signature)
        #expect(diagnosis.signature != nil)
    }

    @Test("GCC calls it an internal error")
    func gcc() {
        let diagnosis = recognize(
            """
            till.c: In function 'settle':
            till.c:12:5: internal compiler error: in fold_convert_loc, at fold-const.cc:2435
               12 |     total += *port;
            0x7f3c6ade fold_convert_loc(unsigned int, tree_node*, tree_node*)
            \t../../src/gcc/fold-const.cc:2435
            0x55d1c2a1 main
            \t../../src/gcc/main.cc:39
            Please submit a full bug report, with preprocessed source (by using -freport-bug).
            """)
        #expect(diagnosis.format == "gcc-crash")
        #expect(
            diagnosis.summary
                == "gcc: internal compiler error: in fold_convert_loc, at fold-const.cc:2435"
                + " in fold_convert_loc(unsigned int, tree_node*, tree_node*) at fold-const.cc:2435")
        #expect(diagnosis.signature != nil)
    }

    @Test("an exception of OCaml has its argument and the stack below it")
    func ocaml() {
        let diagnosis = recognize(
            """
            listening
            Fatal error: exception Stdlib.Failure("no rate for CHW")
            Raised at Stdlib.failwith in file "stdlib.ml", line 29, characters 17-33
            Called from Till__Rates.convert in file "src/rates.ml", line 12, characters 2-9
            """)
        #expect(diagnosis.format == "ocaml-exception")
        #expect(diagnosis.summary == "ocaml: Stdlib.Failure: no rate for CHW in Till__Rates.convert at rates.ml:12")
        #expect(diagnosis.crash?.crashedThread?.frames.map(\.isOwn) == [false, true])
        #expect(recognize("Fatal error: exception Not_found\n").summary == "ocaml: Not_found")
    }

    @Test(
        "an error of Haskell has its program and the place of the call",
        arguments: [
            "tilld: no rate for CHW\nCallStack (from HasCallStack):\n",
            "tilld: Uncaught exception ghc-internal:GHC.Internal.Exception.ErrorCall:\n\nno rate for CHW\n\n"
                + "HasCallStack backtrace:\n",
        ])
    func haskell(head: String) {
        let diagnosis = recognize(
            head + "  error, called at src/Rates.hs:12:5 in till-1.2-inplace:Rates\n"
                + "  convert, called at app/Main.hs:8:3 in main:Main\n")
        #expect(diagnosis.format == "haskell-error")
        #expect(diagnosis.summary == "tilld: error: no rate for CHW in error at Rates.hs:12")
        #expect(diagnosis.crash?.crashedThread?.frames.map(\.line) == [12, 8])
    }

    @Test(
        "text that only talks of compilers is no crash",
        arguments: [
            "Stack dump:\nnone\n", "a.c:1:2: internal compiler error: is a bug of the compiler\n",
            "Fatal error: exception handling is off\n", "Fatal error: exception Handling\nis\na\nchapter\n",
            "CallStack (from HasCallStack):\n  is printed for errors\n",
        ])
    func lookAlikes(text: String) {
        #expect(recognize(text).kind == .log)
    }
}
