import DurableIO

/// A metric with its samples, and how it is written.
package struct MetricFamily: Sendable {
    /// How metrics are written.
    package enum Form: String, CaseIterable, Sendable {
        /// OpenMetrics 1.0: what Prometheus and others scrape.
        case openMetrics = "openmetrics"
        /// The text format of Prometheus: what the textfile collector of node-exporter reads. It calls a counter by its
        /// whole name in `# TYPE` and `# HELP`, where OpenMetrics leaves out `_total`.
        case prometheus
    }

    enum Kind: String, Sendable {
        case gauge
        /// Only grows. Its samples end in `_total`.
        case counter
    }

    typealias Labels = [(name: String, value: String)]

    /// One value with the labels that tell it from others of its family.
    struct Sample: Sendable {
        let labels: Labels
        let value: String

        init(_ value: some BinaryInteger, _ labels: Labels = []) {
            self.labels = labels
            self.value = "\(value)"
        }

        /// A moment, given in milliseconds since the epoch.
        init(time: Int64, _ labels: Labels = []) {
            self.labels = labels
            value = MetricFamily.seconds(time)
        }
    }

    let name: String
    let kind: Kind
    /// The base unit that the name ends in; `nil` for counts.
    let unit: String?
    let help: String
    let samples: [Sample]

    static func gauge(_ name: String, unit: String? = nil, _ help: String, _ samples: [Sample]) -> MetricFamily {
        MetricFamily(name: name, kind: .gauge, unit: unit, help: help, samples: samples)
    }

    static func gauge(
        _ name: String, unit: String? = nil, _ help: String, _ value: some BinaryInteger
    ) -> MetricFamily {
        gauge(name, unit: unit, help, [Sample(value)])
    }

    /// A moment, given in milliseconds since the epoch; without a sample where there is none.
    static func timestamp(_ name: String, _ help: String, _ time: Int64?) -> MetricFamily {
        gauge(name, unit: "seconds", help, time.map { [Sample(time: $0)] } ?? [])
    }

    static func counter(_ name: String, unit: String? = nil, _ help: String, _ samples: [Sample]) -> MetricFamily {
        MetricFamily(name: name, kind: .counter, unit: unit, help: help, samples: samples)
    }

    private static func seconds(_ milliseconds: Int64) -> String {
        let (whole, part) = milliseconds.quotientAndRemainder(dividingBy: 1_000)
        let digits = "\(1_000 + part.magnitude)".dropFirst()
        return "\(milliseconds < 0 ? "-" : "")\(whole.magnitude).\(digits)"
    }

    // MARK: - Writing

    /// All families as one text, with `common` before the labels of each sample. Families without a sample are left
    /// out.
    package static func text(
        _ families: [MetricFamily], common: [(name: String, value: String)], as form: Form
    ) -> String {
        let families = families.filter { !$0.samples.isEmpty }
        let text = families.map { $0.text(common, form) }.joined()
        return form == .openMetrics ? text + "# EOF\n" : text
    }

    private func text(_ common: Labels, _ form: Form) -> String {
        let suffix = kind == .counter ? "_total" : ""
        let title = form == .openMetrics ? name : name + suffix
        var lines = ["# TYPE \(title) \(kind.rawValue)"]
        if form == .openMetrics, let unit { lines.append("# UNIT \(title) \(unit)") }
        lines.append("# HELP \(title) \(help)")
        for sample in samples {
            let labels = (common + sample.labels).map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
            lines.append("\(name)\(suffix){\(labels.joined(separator: ","))} \(sample.value)")
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func escaped(_ text: String) -> String {
        Printable.text(
            text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n"))
    }
}
