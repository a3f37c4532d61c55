import ArgumentParser
import DurableIO
import Reports
import SystemPackage

/// `reports metrics`
struct Metrics: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Prints the spool's figures as metrics for Prometheus.",
        discussion: """
            Reports and bytes by state, the oldest undelivered report, deliveries and evictions, the servers' gates, \
            limits, free space and problems. No secret is in them.

            openmetrics is OpenMetrics 1.0. prometheus is the text format of Prometheus, which the textfile collector \
            of node-exporter reads: the type and help of a counter are written with _total, and there are no units \
            and no end mark.

            Status 73 when the file cannot be written; it then stays as it was.

            Example:
              reports metrics --output /run/reports-metrics/reports.prom
            """)

    @OptionGroup var global: GlobalOptions

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Replace this file at once, mode 644, instead of printing.",
            discussion: "It is written by the spool's user.", valueName: "file"), completion: .file())
    var output: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "openmetrics or prometheus.",
            discussion: "Default: prometheus for a file whose name ends in .prom, openmetrics otherwise.",
            valueName: "format"),
        completion: .list(MetricFamily.Form.allCases.map(\.rawValue)))
    var format: String?

    func validate() throws {
        if global.json { throw ValidationError("--json: metrics have formats of their own, see --format.") }
        if output?.isEmpty == true { throw ValidationError("--output needs a file.") }
        _ = try form()
    }

    private func form() throws -> MetricFamily.Form {
        guard let format else { return output?.hasSuffix(".prom") == true ? .prometheus : .openMetrics }
        guard let form = MetricFamily.Form(rawValue: format) else {
            let known = MetricFamily.Form.allCases.map(\.rawValue).joined(separator: " or ")
            throw ValidationError("--format \(Printable.text(format)): give \(known).")
        }
        return form
    }

    func run() async throws {
        Console.endsWithItsReader = true
        let text = SpoolMetrics(try figures(), spool: try global.path().string).text(as: try form())
        guard let output else { return Console.write(Array(text.utf8)) }
        try MetricsFile.replace(FilePath(output), with: text)
    }

    private func figures() throws -> SpoolFigures {
        let settings = Result { try global.settings() }
        var figures = SpoolFigures(time: LinuxClock().wallMilliseconds)
        if let spool = try global.openExisting((try? settings.get()) ?? Settings()) {
            figures = try SpoolInspector(spool: spool, isHasty: true).figures(evictedWithin: nil)
        }
        figures.add(settings)
        return figures
    }
}
