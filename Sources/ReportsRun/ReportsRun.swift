import CStartup
import CaptureRun
import Glibc

/// `reports-run`: puts itself in front of any program and drops its crash into a spool.
@main
enum ReportsRun {
    static func main() {
        let hidden = cstartup_hidden_backtrace().map { String(cString: $0) }
        exit(ProgramRun.main(CommandLine.unsafeArgv, hiddenBacktrace: hidden))
    }
}
