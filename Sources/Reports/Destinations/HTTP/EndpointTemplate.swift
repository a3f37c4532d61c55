import DurableIO

/// An endpoint's URL with its marks, taken apart once; what differs from report to report is filled in at each send.
///
/// Marks stand in path and query, `{host}` also in the host name. Nothing of this is written to disk.
struct EndpointTemplate: Sendable {
    /// Pieces that belong together.
    private struct Run: Sendable {
        var text: MarkedText
        /// A part of the path between two slashes that holds a mark.
        var isSegment = false
    }

    private let runs: [Run]
    /// Whether each report has an address of its own.
    let namesReports: Bool

    init(_ url: String) throws(MarkProblem) {
        // A scheme that lacks is told of by `Endpoint`.
        let schemeEnd = url.ranges(of: "://").first?.upperBound ?? url.startIndex
        let authorityEnd = url[schemeEnd...].firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? url.endIndex
        let pathEnd = url[authorityEnd...].firstIndex { $0 == "?" || $0 == "#" } ?? url.endIndex
        guard !url[pathEnd...].contains("#") else { throw .fragment }
        var runs = [Run(text: try MarkedText(url[..<schemeEnd], in: .scheme))]
        runs += try Self.authorityRuns(url[schemeEnd..<authorityEnd])
        runs += try Self.pathRuns(url[authorityEnd..<pathEnd])
        runs.append(Run(text: try MarkedText(url[pathEnd...], in: .query)))
        self.runs = runs
        namesReports = runs.contains { $0.text.holds(.id) }
    }

    private static func authorityRuns(_ authority: Substring) throws(MarkProblem) -> [Run] {
        // `Endpoint` refuses user names and passwords; no message is to hold a part of them.
        guard !authority.contains("@") else { return [Run(text: MarkedText(literal: String(authority)))] }
        var (port, isInMark) = (authority.endIndex, false)
        for index in authority.indices {
            switch authority[index] {
            case "{": isInMark = true
            case "}": isInMark = false
            case ":" where !isInMark: port = index
            default: break
            }
        }
        return [
            Run(text: try MarkedText(authority[..<port], in: .hostName)),
            Run(text: try MarkedText(authority[port...], in: .port)),
        ]
    }

    private static func pathRuns(_ path: Substring) throws(MarkProblem) -> [Run] {
        var runs: [Run] = []
        for (index, segment) in path.split(separator: "/", omittingEmptySubsequences: false).enumerated() {
            if index > 0 { runs.append(Run(text: MarkedText(literal: "/"))) }
            let text = try MarkedText(segment, in: .path)
            runs.append(Run(text: text, isSegment: text.hasMarks))
        }
        return runs
    }

    /// The URL with the values in place of the marks, each percent-encoded.
    ///
    /// A segment of the path that would be empty, `.` or `..` becomes `_`: servers and clients take those for other
    /// paths.
    func url(_ values: MarkValues) -> String {
        runs.reduce(into: "") { url, run in
            let text = run.text.filled(values) { PercentEncoding.encode($0) }
            url += run.isSegment && Self.isDots(text) ? "_" : text
        }
    }

    /// Whether a segment is empty, or one or two dots, however they are written (RFC 3986, section 6.2.2.3).
    private static func isDots(_ segment: String) -> Bool {
        guard segment.utf8.count <= 6 else { return false }
        let plain = segment.lowercased().replacing("%2e", with: ".")
        return plain.isEmpty || plain == "." || plain == ".."
    }
}
