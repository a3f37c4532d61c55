import Diagnosis
import TestSupport
import Testing

@Suite("What looks like a crash")
struct CrashLikenessTests {
    private func likeness(_ bytes: [UInt8], name: String = "", content: [UInt8]? = nil) -> CrashLikeness {
        CrashLikeness(
            head: bytes.prefix(CrashLikeness.glimpseByteCount),
            isWhole: bytes.count <= CrashLikeness.glimpseByteCount,
            name: Array(name.utf8), inflate: { _, limit in content.map { Array($0.prefix(limit)) } })
    }

    private func likeness(_ text: String, name: String = "") -> CrashLikeness { likeness(Array(text.utf8), name: name) }

    @Test("a real crash is seen in its first KiB, without its name", arguments: CorpusFile.all)
    func corpus(row: CorpusFile) throws {
        let bytes = row.bytes
        let whole = recognize(bytes, name: row.name, content: CorpusFile.contentOfGzipFile)
        let content = Array(CorpusFile.contentOfGzipFile.prefix(4 * CrashLikeness.glimpseByteCount))
        let glimpse = likeness(bytes, content: content)
        #expect(glimpse == (whole.kind == .crash ? .begun : .none))
    }

    @Test(
        "documents that are cut before their crash begin like one",
        arguments: [
            #"{"bug_type":"309","name":"\#(String(repeating: "x", count: 2_000))"}"#,
            #"{"binary_images":[\#(String(repeating: #"{"name":"lib"},"#, count: 200))"#,
            #"{"crashDiagnostics":[{"callStackTree":{"x":"\#(String(repeating: "x", count: 2_000))"#,
            #"{"header":{"reportVersion":5,"commandLine":["\#(String(repeating: "x", count: 2_000))"#,
            #"{"SYSLOG_IDENTIFIER":"systemd-coredump","MESSAGE":"\#(String(repeating: "x", count: 2_000))"#,
            "panic: \(String(repeating: "x", count: 2_000))\n\ngoroutine 1 [running]:\n",
        ])
    func cut(text: String) {
        #expect(likeness(text) == .begun)
    }

    @Test(
        "what is no crash does not look like one",
        arguments: [
            "", "plain text", #"{"header":{"title":"weekly"},"rows":[]}"#, #"{"timestamp":"2026-01-01","kind":"log"}"#,
            #"{"header":{"title":"\#(String(repeating: "x", count: 2_000))"#,
            String(repeating: "INFO all is well\n", count: 200), "no panic: here\n",
        ])
    func noCrash(text: String) {
        #expect(likeness(text) == .none)
    }

    @Test(
        "names that crashes have are known",
        arguments: [
            "core", "core.4711", "core.shopd.1000.f00.4711.1700000000000000.zst", "shopd.core", "app.dmp", "APP.DMP.gz",
            "a.ips", "hs_err_pid12.log", "shopd-32049-0.0.json", "crash-2026.json", "MyCrash", "kernel-panic.txt",
            "x.mxdiagnostic",
        ])
    func names(name: String) {
        #expect(CrashLikeness(name: Array(name.utf8)) == .named)
        #expect(likeness(String(repeating: "text ", count: 500), name: name) == .named)
    }

    @Test("other names are not", arguments: ["", "score", "core-utils.log", "report.json", "a.log.gz", "dmp", "tips"])
    func otherNames(name: String) {
        #expect(CrashLikeness(name: Array(name.utf8)) == .none)
    }

    @Test("a short payload that is known to be something else is not believed its name")
    func contradicted() {
        let journal = "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1700000000000000\nMESSAGE=all is well\n\n"
        #expect(likeness(journal, name: "crash.export") == .none)
    }
}
