/// A rule that says where reports of some sort go.
///
/// A reporter with several destinations asks its routes in order; the first that matches a report decides. A report
/// that no route matches goes to the first destination. A route with several conditions matches a report that meets
/// all of them. A route without conditions matches every report.
///
/// ```swift
/// let routes: [Route] = [.to("dumps", formats: ["minidump"]), .hold(kinds: [.log])]
/// ```
public struct Route: Hashable, Sendable {
    /// What becomes of the reports that a route matches.
    package enum Outcome: Hashable, Sendable {
        case to(String)
        case hold
    }

    package let outcome: Outcome
    /// Empty: any kind.
    let kinds: [ReportKind]
    /// Empty: any format.
    let formats: [String]
    /// The annotations that a report has to have, each with one of the values.
    let annotations: [String: [String]]

    /// Makes a route to a destination.
    /// - Parameters:
    ///   - name: The name of the destination.
    ///   - kinds: The kinds of reports, one of which it has to be. The default is any.
    ///   - formats: The formats of payloads, such as `minidump`, one of which it has to be. The default is any.
    ///   - annotations: Annotations that the report has to have with these values. The default is none.
    /// - Returns: The route.
    public static func to(
        _ name: String, kinds: [ReportKind] = [], formats: [String] = [], annotations: [String: String] = [:]
    ) -> Route {
        Route(.to(name), kinds: kinds, formats: formats, annotations: annotations.mapValues { [$0] })
    }

    /// Makes a route for reports that are kept and not sent, in the state `held` with the reason `route`.
    /// - Parameters:
    ///   - kinds: The kinds of reports, one of which it has to be. The default is any.
    ///   - formats: The formats of payloads, one of which it has to be. The default is any.
    ///   - annotations: Annotations that the report has to have with these values. The default is none.
    /// - Returns: The route.
    public static func hold(
        kinds: [ReportKind] = [], formats: [String] = [], annotations: [String: String] = [:]
    ) -> Route {
        Route(.hold, kinds: kinds, formats: formats, annotations: annotations.mapValues { [$0] })
    }

    package init(_ outcome: Outcome, kinds: [ReportKind], formats: [String], annotations: [String: [String]]) {
        self.outcome = outcome
        self.kinds = kinds
        self.formats = formats
        self.annotations = annotations
    }

    /// The route as a text that differs from those of all other routes.
    var text: String {
        var parts = ["kinds \(kinds.map(\.rawValue).sorted())", "formats \(formats.sorted())"]
        parts += annotations.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.sorted())" }
        switch outcome {
        case .to(let name): parts.append("to \(name)")
        case .hold: parts.append("hold")
        }
        return parts.joined(separator: "; ")
    }

    func matches(_ report: ReportOutline) -> Bool {
        let properties = report.properties
        return (kinds.isEmpty || kinds.contains(properties.kind))
            && (formats.isEmpty || formats.contains { Self.isFormat($0, of: properties) })
            && annotations.allSatisfy { key, values in
                // Two keys that differ only in case are one key.
                properties.annotations.contains { $0.key.lowercased() == key.lowercased() && values.contains($0.value) }
            }
    }

    /// A damaged minidump is a minidump, too.
    private static func isFormat(_ format: String, of properties: ReportProperties) -> Bool {
        properties.format == format || properties.format == "\(format) (damaged)"
    }
}
