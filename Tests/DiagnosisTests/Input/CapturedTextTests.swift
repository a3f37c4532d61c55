import Testing

@testable import Diagnosis

@Suite("Lines as they were captured")
struct CapturedTextTests {
    /// The texts of a capture, each as the name of its process and its lines.
    private func texts(_ text: String) -> [String: [String]] {
        let texts = CapturedText.texts(in: PayloadWindow(whole: Array(text.utf8)))
        return Dictionary(
            texts.map { text in
                let process = text.origin?.process.map { "[\($0)]" } ?? ""
                return ((text.origin?.name ?? "") + process, text.lines.map(\.text))
            }, uniquingKeysWith: +)
    }

    @Test("lines of several processes are apart, and lines of nobody are together")
    func interleaved() {
        let texts = self.texts(
            """
            -- Boot 722de294 --
            Nov 28 08:21:40 edge-3 a[1]: one
            Nov 28 08:21:40 edge-3 b[2]: eins
            Nov 28 08:21:40 edge-3 a[1]:   two
            own line
            Nov 28 08:21:41 edge-3 a[3]: another a
            Nov 28 08:21:41 edge-3 b[2]: zwei
            """)
        #expect(texts["a[1]"] == ["one", "  two"])
        #expect(texts["b[2]"] == ["eins", "zwei"])
        #expect(texts["a[3]"] == ["another a"])
        #expect(texts[""] == ["-- Boot 722de294 --", "own line"])
    }

    @Test("the indentation that journalctl adds to further lines of a message is taken off")
    func journalIndentation() {
        let prefix = "Nov 28 08:21:40 edge-3 systemd-coredump[9]: "
        let blanks = String(repeating: " ", count: prefix.utf8.count)
        let texts = self.texts(
            """
            \(prefix)Process 7 (a) of user 0 dumped core.
            \(blanks)

            \(blanks)Stack trace of thread 7:
            \(blanks)  #0  0x1
                short
            """)
        #expect(
            texts["systemd-coredump[9]"]
                == ["Process 7 (a) of user 0 dumped core.", "", "", "Stack trace of thread 7:", "  #0  0x1"])
        #expect(texts[""] == ["    short"])
    }

    @Test("control characters that rsyslog has escaped are themselves again")
    func escapes() {
        let texts = self.texts("Nov 28 08:21:40 h go[1]: panic: x#012#012goroutine 1 [running]:#012#011/a.go:1 #7 #01")
        #expect(texts["go[1]"] == ["panic: x", "", "goroutine 1 [running]:", "\t/a.go:1 #7 #01"])
        #expect(self.texts("panic: x#012y") == ["": ["panic: x#012y"]])
    }

    @Test("a tag without a number counts behind a host that many lines name")
    func tagWithoutNumber() {
        let known = "Nov 28 08:21:40 edge-3 pusherd: one\nNov 28 08:21:40 edge-3 pusherd:   two\n"
        #expect(self.texts(known) == ["pusherd": ["one", "  two"]])
        let unknown = "Nov 28 08:21:40 fatal error: one\nNov 28 08:21:40 other thing: two\n"
        #expect(self.texts(unknown) == ["": ["fatal error: one", "other thing: two"]])
        let level = "2026-11-28T08:21:40Z ERROR db: one\n2026-11-28T08:21:40Z ERROR db: two\n"
        #expect(self.texts(level) == ["": ["ERROR db: one", "ERROR db: two"]])
    }

    @Test("names of services and a bar are taken off where nearly all lines have them")
    func services() {
        let compose = self.texts(
            """
            Attaching to web-1, db-1
            web-1  | one
            db-1   | eins
            web-1  |   two
            db-1   | zwei
            web-1  |
            web-1  | x
            """)
        #expect(compose["web"] == ["one", "  two", "", "x"])
        #expect(compose["db"] == ["eins", "zwei"])
        let manager = self.texts("0|shop  | one\n0|shop  |   two\n1|till  | eins\n0|shop  | x\n1|till  | y\n")
        #expect(manager == ["shop": ["one", "  two", "x"], "till": ["eins", "y"]])
        #expect(self.texts("08:21:40 web.1  | one\n08:21:40 web.1  |   two\n") == ["web": ["one", "  two"]])
        #expect(
            self.texts("web-1  | 2026-11-28T08:21:40.1Z one\nweb-1  | 2026-11-28T08:21:40.2Z   two\n")
                == ["web": ["one", "  two"]])
    }

    @Test("numbered instances of a service have one name, and their lines are apart all the same")
    func instances() {
        let text = "web-1  | one\nweb-2  | eins\nweb-1  | two\nweb-2  | zwei\n"
        let texts = CapturedText.texts(in: PayloadWindow(whole: Array(text.utf8)))
        #expect(texts.map(\.origin?.name) == ["web", "web"])
        #expect(texts.map { $0.lines.map(\.text) } == [["one", "two"], ["eins", "zwei"]])
        for name in ["db-2-1", "db-2.1", "db-2_1", "db-2.1.x9k2@node-7"] {
            let line = Array("\(name)  | a\n\(name)  | b\n".utf8)
            #expect(CapturedText.texts(in: PayloadWindow(whole: line)).first?.origin?.name == "db-2")
        }
    }

    @Test("a table keeps its columns behind many other lines, empty ones too")
    func lateTable() {
        for before in ["\n", "prose\n"] {
            let count = before == "\n" ? 20_000 : 100
            let texts = self.texts(String(repeating: before, count: count) + "a  | b\na  | c\n")
            #expect(texts[""]?.suffix(2) == ["a  | b", "a  | c"])
        }
    }

    @Test("a job and its step before each line are taken off with the time")
    func jobs() {
        let texts = self.texts(
            "build\tRun tests\t2026-11-28T08:21:40.1Z one\nbuild\tRun tests\t2026-11-28T08:21:40.2Z \ttwo\n")
        #expect(texts == ["": ["one", "\ttwo"]])
    }

    @Test(
        "tables and sources keep all of their columns",
        arguments: [
            "Name  | Value\n----- | -----\nsize  | 4\ncolour | red\n", "| a | b |\n|---|---|\n| 1 | 2 |\n",
            "int f(int a) {\n  return a | b;\n}\nx | y\n", " id | name\n----+-----\n  1 | a\n  1 | b\n",
        ])
    func tables(text: String) {
        #expect(self.texts(text) == ["": text.split(separator: "\n").map(String.init)])
    }

    @Test("lines of a container are read out of the file that Docker keeps")
    func dockerFile() {
        let texts = self.texts(
            #"{"log":"panic: \"x\"\n","stream":"stderr","time":"2026-11-28T08:21:40.1Z"}"# + "\n"
                + #"{"log":"\tmain.go:1\n","stream":"stderr","time":"2026-11-28T08:21:40.1Z"}"# + "\n"
                + #"{"log":"without a stream"}"# + "\n" + #"{"log":"cut"#)
        #expect(
            texts == ["": [#"panic: "x""#, "\tmain.go:1", #"{"log":"without a stream"}"#, #"{"log":"cut"#]])
    }

    @Test("what steers a terminal is taken off, also before a prefix")
    func terminal() {
        let texts = self.texts(
            "\u{1b}[36mweb-1  | \u{1b}[0m\u{1b}[1;31merror\u{1b}[0m: x\r\n"
                + "web-1  | \u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{7}\n")
        #expect(texts == ["web": ["error: x", "link"]])
        #expect(self.texts("\u{1b}(Ba\u{1b}7\u{1b}[\nb\u{1b}") == ["": ["a[", "b"]])
    }

    @Test("the first line behind a gap of the window is left out")
    func gap() {
        let head = Array("one\ntwo\n".utf8)
        let window = PayloadWindow(head: head[...], tail: Array("lf\nlast\n".utf8)[...], byteCount: 1_000, name: [])
        let texts = CapturedText.texts(in: window)
        #expect(texts.map { $0.lines.map(\.text) } == [["one", "two", "last"]])
        #expect(texts.first?.gap == 2)
    }

    @Test("more processes than are told apart do no harm")
    func manyProcesses() {
        let lines = (1...1_000).map { "Nov 28 08:21:40 h a[\($0)]: \($0)\n" }
        let texts = CapturedText.texts(in: PayloadWindow(whole: Array(lines.joined().utf8)))
        #expect(texts.count == 65)
        #expect(texts.map(\.lines.count).reduce(0, +) == 1_000)
    }

    @Test("a tab may stand behind a time, and a step of a build before each line")
    func otherSeparators() {
        #expect(self.texts("2026-11-28T08:21:40.123Z\tone\n2026-11-28T08:21:40.124Z\t  two\n")[""] == ["one", "  two"])
        #expect(self.texts("#12 0.513 one\n#12 0.514   two\n#12 0.600\n")[""] == ["one", "  two", ""])
        // The frames of debuggers and sanitizers begin alike.
        let frames = ["#0  main () at till.c:3", "#12 0x00007f1c in main () at till.c:9"]
        #expect(self.texts(frames.joined(separator: "\n"))[""] == frames)
    }
}
