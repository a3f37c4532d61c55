import Reports
import Testing

@Suite("Summaries")
struct SummaryLineTests {
    @Test("White space of any kind becomes one space")
    func whiteSpace() {
        #expect(SummaryLine.text("  a\t\r\n b\u{a0}\u{2003}c \u{2028}") == "a b c")
    }

    @Test(
        "What does not print, or turns the direction, becomes U+FFFD",
        arguments: ["\u{0}", "\u{1b}", "\u{7f}", "\u{9b}", "\u{ad}", "\u{200b}", "\u{202e}", "\u{2066}", "\u{e000}"])
    func unprintable(character: String) {
        #expect(SummaryLine.text("a\(character)b") == "a\u{fffd}b")
    }

    @Test("160 characters fit; of more, 159 and an ellipsis")
    func cut() {
        let fitting = String(repeating: "x", count: 160)
        #expect(SummaryLine.text(fitting) == fitting)
        #expect(SummaryLine.text(fitting + "x") == String(repeating: "x", count: 159) + "…")
        #expect(SummaryLine.text(fitting + "  ") == fitting)
    }

    @Test("Combining marks count, so that one letter cannot carry thousands")
    func combiningMarks() {
        let text = SummaryLine.text("a" + String(repeating: "\u{301}", count: 5_000))
        #expect(text.unicodeScalars.count == 160)
    }
}

@Suite("Kinds of report")
struct ReportKindTests {
    @Test("There are five, and no other word is one")
    func fiveKinds() {
        #expect(ReportKind.all.map(\.rawValue) == ["crash", "hang", "diagnostic", "log", "other"])
        for kind in ReportKind.all {
            #expect(ReportKind(rawValue: kind.rawValue) == kind)
            #expect("\(kind)" == kind.rawValue)
        }
        for word in ["", "Crash", "crash ", "panic"] {
            #expect(ReportKind(rawValue: word) == nil)
        }
    }
}
