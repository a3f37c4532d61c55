import CaptureRun
import Glibc

/// `reports-run`: puts itself in front of any program and drops its crash into a spool.
@main
enum ReportsRun {
    static func main() {
        exit(CaptureRun.main(Array(CommandLine.arguments.dropFirst())))
    }
}
