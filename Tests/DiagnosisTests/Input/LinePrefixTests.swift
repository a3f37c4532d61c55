import Testing

@testable import Diagnosis

@Suite("What collectors write before a line")
struct LinePrefixTests {
    /// A line as it was captured, and what is left of it.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let line: String
        let rest: String
        let name: String?
        let process: Int64?

        init(_ description: String, _ line: String, _ rest: String, _ name: String? = nil, _ process: Int64? = nil) {
            (self.testDescription, self.line, self.rest) = (description, line, rest)
            (self.name, self.process) = (name, process)
        }
    }

    private func prefix(of line: String) -> (rest: String, origin: LineOrigin?) {
        let bytes = Array(line.utf8)[...]
        return bytes.withView { line in
            let prefix = LinePrefix(of: line, in: CollectorStyle())
            return (line[prefix.endIndex...].text, prefix.origin)
        }
    }

    private static let syslog = [
        Case("RFC 3164", "<13>Nov 28 08:21:40 edge-3 pusherd[3144]: started", "started", "pusherd", 3144),
        Case("a file of syslog", "Nov  8 08:21:40 edge-3 pusherd[3144]: started", "started", "pusherd", 3144),
        Case("a tag without a blank", "Nov 28 08:21:40 edge-3 pusherd[3144]:started", "started", "pusherd", 3144),
        Case("a tag without a host", "Nov 28 08:21:40 pusherd[3144]: started", "started", "pusherd", 3144),
        Case("indentation", "Nov 28 08:21:40 edge-3 pusherd[3144]:     at f", "    at f", "pusherd", 3144),
        Case("a tab", "Nov 28 08:21:40 edge-3 pusherd[3144]: \tat f", "\tat f", "pusherd", 3144),
        Case("an empty line", "Nov 28 08:21:40 edge-3 pusherd[3144]:", "", "pusherd", 3144),
        Case("journalctl", "Nov 28 08:21:40 edge-3 sshd-session[1]: x", "x", "sshd-session", 1),
        Case("journalctl, ISO", "2026-11-28T08:21:40+0100 edge-3 postfix/smtpd[7]: x", "x", "postfix/smtpd", 7),
        Case("journalctl, newer ISO", "2026-11-28T08:21:40+01:00 edge-3 a[7]: x", "x", "a", 7),
        Case("journalctl, precise", "Nov 28 08:21:40.123456 edge-3 a[7]: x", "x", "a", 7),
        Case("journalctl, full", "Sat 2026-11-28 08:21:40 CET edge-3 a[7]: x", "x", "a", 7),
        Case("journalctl, since boot", "[  812.604301] edge-3 a[7]: x", "x", "a", 7),
        Case("journalctl, seconds", "1795346010.237642 edge-3 a[7]: x", "x", "a", 7),
        Case("rsyslog", "2026-11-28T08:21:40.123456+01:00 edge-3 a[7]: x", "x", "a", 7),
        Case("RFC 5424", "<165>1 2026-11-28T08:21:40.003Z edge-3 a 7 ID47 - x", "x", "a", 7),
        Case("RFC 5424 without a process", "<165>1 2026-11-28T08:21:40.003Z - a - - - x", "x", "a"),
        Case(
            "RFC 5424 with data", #"<165>1 2026-11-28T08:21:40Z h a 7 - [s@1 k="a\" ] b"][t@1 l="2"]   x"#, "  x",
            "a", 7),
        Case("RFC 5424 in UTF-8", "<165>1 2026-11-28T08:21:40Z h a 7 - - \u{feff}x", "x", "a", 7),
        Case("RFC 5424 with its length", "83 <40>1 2026-11-28T06:45:29+00:00 host app web.3 - x y", "x y", "web"),
        Case("Heroku", "2026-11-28T08:21:40.123456+00:00 app[web.1]: x", "x", "web"),
        Case("systemd", "Nov 28 08:21:40 edge-3 systemd[1]: a.service: Failed", "a.service: Failed", "systemd", 1),
    ]

    private static let kernel = [
        Case("the ring buffer", "[  812.604301] BUG: x", "BUG: x", "kernel"),
        Case("indentation", "[  812.604301]  <TASK>", " <TASK>", "kernel"),
        Case("an empty line", "[  812.604301]", "", "kernel"),
        Case("with the processor", "[  812.604301][    C1] x", "x", "kernel"),
        Case("with the thread", "[  812.604301][ T2841] x", "x", "kernel"),
        Case("a module's word in brackets", "[    1.234567] [drm] Initialized", "[drm] Initialized", "kernel"),
        Case("with a date", "[Sat Nov 28 08:13:04 2026] x", "x", "kernel"),
        Case("with a date of one digit", "[Sun Nov  8 08:13:04 2026] x", "x", "kernel"),
        Case("with a difference", "[  +0.000005] x", "x", "kernel"),
        Case("with a short date", "[Nov28 08:13] x", "x", "kernel"),
        Case("decoded", "kern  :err   : [  812.604301] x", "x", "kernel"),
        Case("raw", "6,339,5140900,-;x", "x", "kernel"),
        Case("the persistent store", "<4>[  812.604411] RSP: 0018", "RSP: 0018", "kernel"),
        Case("the persistent store without times", "<4>Call Trace:", "Call Trace:"),
        Case("syslog", "Nov 28 14:40:33 host kernel: [  166.112324] x", "x", "kernel"),
        Case("syslog without the time", "Nov 28 14:40:33 host kernel: x", "x", "kernel"),
        Case("a process's own line", "[   11.112324] systemd[1]: x", "x", "systemd", 1),
    ]

    private static let others = [
        Case("CRI", "2026-11-28T08:21:39.004123456Z stderr F   at f", "  at f"),
        Case("CRI, cut", "2026-11-28T08:21:39.004123456+01:00 stdout P x", "x"),
        Case("CRI, empty", "2026-11-28T08:21:39.004123456Z stderr F ", ""),
        Case("docker logs", "2026-11-28T08:21:39.004123456Z   at f", "  at f"),
        Case("kubectl", "[pod/web-7f86/app]   at f", "  at f", "app"),
        Case("kubectl with times", "[pod/web-7f86/app] 2026-11-28T08:21:39.004Z   at f", "  at f", "app"),
        Case("GitHub Actions", "2026-11-28T08:21:39.0041234Z ##[error]x", "##[error]x"),
        Case("pm2 with times", "2026-11-28T08:21:39:   at f", "  at f"),
        Case("a level is no host", "2026-11-28 08:21:40 ERROR x", "ERROR x"),
        Case("a comma", "2026-11-28 08:21:39,114 [main] x", "[main] x"),
        Case("a comma in Internet time", "2026-11-28T08:21:39,114+01:00 x", "x"),
        Case("slashes", "2026/11/28 08:21:39 x", "x"),
        Case("ts", "Nov 28 08:21:40 Fatal error: x", "Fatal error: x"),
        Case("brackets", "[2026-11-28 08:21:39.114] x", "x"),
        Case("PHP", "[28-Nov-2026 08:21:40 Europe/Berlin] PHP Fatal error:  x", "PHP Fatal error:  x"),
        Case("Apache", "[Sat Nov 28 08:21:40.123456 2026] [php:error] [pid 12] [client 10.0.0.1:5] PHP x", "PHP x"),
        Case("logcat", "11-28 08:21:40.123  3144  3151 F DEBUG   : pid: 1", "pid: 1", "DEBUG", 3144),
        Case("logcat, indented", "11-28 08:21:40.123  3144  3151 F DEBUG   :     #00 pc", "    #00 pc", "DEBUG", 3144),
        Case("logcat, brief", "E/AndroidRuntime( 3144): \tat f", "\tat f", "AndroidRuntime", 3144),
        Case("logcat, time", "11-28 08:21:40.123 F/DEBUG   ( 3144): pid: 1", "pid: 1", "DEBUG", 3144),
        Case("Studio", "2026-11-28 08:21:40.123  3144-3151  DEBUG  pid-3144  A  pid: 1", "pid: 1", "DEBUG", 3144),
        Case("older Studio", "2026-11-28 08:21:40.123 3144-3151/? A/DEBUG: pid: 1", "pid: 1", "DEBUG", 3144),
    ]

    @Test("a prefix is taken off, and its process is read", arguments: syslog + kernel + others)
    func taken(sample: Case) {
        let prefix = self.prefix(of: sample.line)
        #expect(prefix.rest == sample.rest)
        #expect(prefix.origin?.name == sample.name)
        #expect(prefix.origin?.process == sample.process)
    }

    @Test(
        "a program's own line is left as it is",
        arguments: [
            "[1] done", "[1]+  Segmentation fault      ./a.out", "[ERROR] x", "[main] x: y", "[drm] x", "[0.5] x",
            "Jan 1 was a Friday", "Jan 1: x", "Mar 28, 2026", "Sat down", "May 12 people", "December", "Sunday",
            "1 2 3", "12:30 x", "08:21:40 INFO x", "2026-11-28", "2026-11-28T08:21:40", "2026-11-28 x", "1795346010 x",
            "1795346010.237642 x y", "| a | b |", "Name  | Value", "a | b", "0|x  | y", "int a[3]: 4", "File \"x\"",
            "<1> x", "<html>", "<13", "6,339,5140900", "1,2,3;4", "1,2,3,abc;def", "I/O error (5): x",
            "I/O error (12345) x",
            "E/x: y", "kern  : x", "kernel: x", "user: x", "INFO:root:x", "systemd[1]: x", "", "#", "[", "<", "[pod/x",
            "Traceback (most recent call last):", "FATAL EXCEPTION: main", "Date: x", "Fri 13", "Oops: 0000 [#1] SMP",
        ])
    func left(line: String) {
        let prefix = self.prefix(of: line)
        #expect(prefix.rest == line)
        #expect(prefix.origin == nil)
    }
}
