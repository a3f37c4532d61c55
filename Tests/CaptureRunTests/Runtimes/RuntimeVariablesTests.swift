import Testing

@testable import CaptureRun

/// Which variables a program gets for its runtime.
@Suite("The variables of runtimes")
struct RuntimeVariablesTests {
    private let directory = "/var/lib/reports/runs/5f0c"

    private func variables(
        _ inherited: [String] = [], directory: String? = nil, _ change: (inout RunOptions) -> Void = { _ in }
    ) -> [String: String] {
        var options = RunOptions()
        change(&options)
        let list = RuntimeVariables.applied(to: inherited, directory: directory ?? self.directory, options)
        return Dictionary(
            list.map { entry in
                let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (String(parts[0]), String(parts[1]))
            }, uniquingKeysWith: { first, _ in first })
    }

    @Test("without options, exactly those that change nothing of a program that does not crash")
    func defaults() {
        #expect(
            variables() == [
                "SWIFT_BACKTRACE":
                    "enable=tty,format=json,output-to=\(directory),sanitize=yes,interactive=no,color=no",
                "NODE_OPTIONS": "--report-uncaught-exception --report-on-fatalerror --report-directory=\(directory)",
                "PYTHONFAULTHANDLER": "1",
                "RUST_BACKTRACE": "1",
                "RUST_LIB_BACKTRACE": "0",
                "DOTNET_DbgEnableMiniDump": "1",
                "DOTNET_EnableCrashReportOnly": "1",
                "DOTNET_CreateDumpLogToFile": "/dev/null",
                "DOTNET_DbgMiniDumpName": "\(directory)/%e.%p",
                "ERL_CRASH_DUMP": "\(directory)/erl_crash.dump",
                "ERL_CRASH_DUMP_SECONDS": "10",
                "RUBY_CRASH_REPORT": "\(directory)/ruby.%p.log",
                "OCAMLRUNPARAM": "b",
            ])
    }

    @Test("Java, sanitizers and Go only when asked for")
    func optIn() {
        let all = variables {
            $0.isForJava = true
            $0.isForSanitizers = true
            $0.isForGo = true
        }
        #expect(all["JAVA_TOOL_OPTIONS"] == "-XX:ErrorFile=\(directory)/hs_err_pid%p.log")
        #expect(all["ASAN_OPTIONS"] == "log_path=\(directory)/asan:log_exe_name=1")
        #expect(all["UBSAN_OPTIONS"] == "log_path=\(directory)/ubsan:log_exe_name=1")
        #expect(all["GOTRACEBACK"] == "all")
        #expect(Set(all.keys) == Set(RuntimeVariables.names))
    }

    @Test("what the program has stays, and only what it lacks is added")
    func merged() {
        func swift(_ value: String) -> String? { variables(["SWIFT_BACKTRACE=\(value)"])["SWIFT_BACKTRACE"] }
        #expect(swift("enable=no") == "enable=no")
        #expect(swift("enable=off,format=json") == "enable=off,format=json")
        #expect(swift("output-to=/tmp/x") == "output-to=/tmp/x")
        #expect(
            swift("format=text,limit=8")
                == "format=text,limit=8,enable=tty,output-to=\(directory),sanitize=yes,interactive=no,color=no")
        func node(_ value: String) -> String? { variables(["NODE_OPTIONS=\(value)"])["NODE_OPTIONS"] }
        #expect(
            node("--max-old-space-size=64")
                == "--max-old-space-size=64 --report-uncaught-exception --report-on-fatalerror "
                + "--report-directory=\(directory)")
        #expect(
            node("--report-directory=/x --report-on-fatalerror")
                == "--report-directory=/x --report-on-fatalerror --report-uncaught-exception")
        #expect(variables(["RUST_BACKTRACE=full"])["RUST_LIB_BACKTRACE"] == nil)
        #expect(variables(["RUST_LIB_BACKTRACE=1"])["RUST_BACKTRACE"] == nil)
        let dotnet = variables(["COMPlus_DbgEnableMiniDump=1"])
        #expect(!dotnet.keys.contains { $0.hasPrefix("DOTNET_") })
        #expect(variables(["PYTHONFAULTHANDLER="])["PYTHONFAULTHANDLER"] == "")
        #expect(variables(["ERL_CRASH_DUMP=/x"])["ERL_CRASH_DUMP"] == "/x")
        let java = variables(["JAVA_TOOL_OPTIONS=-Xmx64m"]) { $0.isForJava = true }
        #expect(java["JAVA_TOOL_OPTIONS"] == "-Xmx64m -XX:ErrorFile=\(directory)/hs_err_pid%p.log")
        let asan = variables(["ASAN_OPTIONS=detect_leaks=0"]) { $0.isForSanitizers = true }
        #expect(asan["ASAN_OPTIONS"] == "detect_leaks=0:log_path=\(directory)/asan:log_exe_name=1")
    }

    @Test("a word for or against is kept, however it is spelt, and so is what an older or a related name says")
    func otherSpellings() {
        func one(_ variable: String, _ inherited: String, _ change: (inout RunOptions) -> Void = { _ in }) -> String? {
            variables([inherited], change)[variable]
        }
        func node(_ value: String) -> String? { one("NODE_OPTIONS", "NODE_OPTIONS=\(value)") }
        let place = "--report-directory=\(directory)"
        #expect(
            node("--no-report-uncaught-exception") == "--no-report-uncaught-exception --report-on-fatalerror \(place)")
        #expect(
            node("--report_uncaught_exception --no_report_on_fatalerror")
                == "--report_uncaught_exception --no_report_on_fatalerror \(place)")
        for chosen in ["--report-dir=/x", "--report_dir=/x", "--report-dir /x", #""--report-directory=/x y""#] {
            #expect(node(chosen) == "\(chosen) --report-uncaught-exception --report-on-fatalerror")
        }
        // Within quotes it is a part of another word.
        #expect(node(#"--title="a --report-dir=/x""#)?.hasSuffix(place) == true)
        #expect(one("SWIFT_BACKTRACE", "SWIFT_BACKTRACE=Enable=NO") == "Enable=NO")
        #expect(one("SWIFT_BACKTRACE", "SWIFT_BACKTRACE=Output-To=/x") == "Output-To=/x")
        #expect(one("OCAMLRUNPARAM", "CAMLRUNPARAM=v=1") == nil)
        #expect(one("ERL_CRASH_DUMP_SECONDS", "ERL_CRASH_DUMP=/x") == nil)
        #expect(one("DOTNET_CreateDumpLogToFile", "COMPlus_CreateDumpLogToFile=/x") == nil)
        #expect(one("DOTNET_CreateDumpLogToFile", "DOTNET_CreateDumpLogToFile=/x") == "/x")
        #expect(one("DOTNET_DbgEnableMiniDump", "DOTNET_CreateDumpLogToFile=/x") == "1")
        let asan = one("ASAN_OPTIONS", "ASAN_OPTIONS=log_exe_name=0") { $0.isForSanitizers = true }
        #expect(asan == "log_exe_name=0:log_path=\(directory)/asan")
    }

    @Test("none, one besides and one less, by their names")
    func chosen() {
        #expect(variables(["HOME=/root"]) { $0.environment.setsDefaults = false } == ["HOME": "/root"])
        let one = variables {
            $0.environment.setsDefaults = false
            $0.environment.added = ["GOTRACEBACK"]
        }
        #expect(one == ["GOTRACEBACK": "all"])
        #expect(variables { $0.environment.removed = ["NODE_OPTIONS"] }["NODE_OPTIONS"] == nil)
    }

    @Test("a name that occurs several times is set once, where it stood first")
    func repeated() {
        let list = RuntimeVariables.applied(
            to: ["A=1", "NODE_OPTIONS=--x", "B=2", "NODE_OPTIONS=--y"], directory: directory, RunOptions())
        #expect(list.prefix(3).map { String($0.prefix(16)) } == ["A=1", "NODE_OPTIONS=--x", "B=2"])
        #expect(list.count { $0.hasPrefix("NODE_OPTIONS=") } == 1)
    }

    @Test("a value is whole that begins with a mark which belongs to the character before it")
    func combining() {
        let list = VariableList(["AB=x", "A=\u{301}b", "A=c"])
        #expect(list["A"].map { Array($0.utf8) } == Array("\u{301}b".utf8))
        #expect(list["AB"] == "x" && list[""] == nil)
    }

    @Test("a directory that a variable cannot hold is quoted, or the variable is left out")
    func directories() {
        let blank = variables(directory: "/a b/\"c") { $0.isForSanitizers = true }
        #expect(blank["NODE_OPTIONS"]?.hasSuffix(#"--report-directory="/a b/\"c""#) == true)
        #expect(blank["ASAN_OPTIONS"] == nil)
        #expect(blank["SWIFT_BACKTRACE"]?.contains("output-to=/a b/\"c,") == true)
        #expect(variables(directory: "/a,b")["SWIFT_BACKTRACE"] == nil)
        let percent = variables(directory: "/a%p")
        #expect(percent["RUBY_CRASH_REPORT"] == nil)
        #expect(!percent.keys.contains { $0.hasPrefix("DOTNET_") })
    }
}
