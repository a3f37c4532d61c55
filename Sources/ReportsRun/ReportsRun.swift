import CStartup
import CaptureRun
import Glibc

/// `reports-run`: puts itself in front of any program and drops its crash into a spool.
@main
enum ReportsRun {
    static func main() {
        // Swift's own words are read from /proc, which may be missing.
        let words = cstartup_words() ?? CommandLine.unsafeArgv
        exit(ProgramRun.main(words, hiddenBacktrace: cstartup_hidden_backtrace()))
    }
}
