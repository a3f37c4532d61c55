import Background
import DurableIO

/// An endpoint's URL with its marks, taken apart once; what differs from report to report is filled in at each send.
///
/// Marks stand in path and query, `{host}` also in the host name. Everything else that looks like a mark is refused,
/// because a server that answers 2xx for a path that nobody meant would be taken for the right one, and the bytes
/// deleted. Braces that are part of the URL are written `%7B` and `%7D`. Nothing of this is written to disk.
struct EndpointTemplate: Sendable {
    /// What can be filled in.
    enum Mark: String, CaseIterable, Sendable {
        case id
        case kind
        case host

        var text: String { "{\(rawValue)}" }
    }

    /// Why a text is no endpoint with marks. Never holds what stands in a query: that may be a secret.
    enum Problem: Error, Hashable, CustomStringConvertible {
        case unknownMark(String, Place)
        case openBrace
        case strayBrace
        case misplaced(Mark, Place)
        /// `${id}`: what a shell or a unit file would fill in.
        case dollar(Mark)
        case fragment
        case percent

        private static let known = "the marks are {id}, {kind} and {host}"
        private static let escaped = "write a literal brace as %7B or %7D"

        var description: String {
            switch self {
            case .unknownMark(_, .query): "has an unknown mark in its query: \(Self.known); \(Self.escaped)"
            case .unknownMark(let name, _):
                "has the unknown mark {\(Printable.text(name))}: \(Self.known); \(Self.escaped)"
            case .openBrace: "has a { that opens no mark: \(Self.known); \(Self.escaped)"
            case .strayBrace: "has a } that ends no mark: \(Self.known); \(Self.escaped)"
            case .misplaced(let mark, let place):
                "has \(mark.text) in its \(place.rawValue): {id}, {kind} and {host} stand in path and query, {host} "
                    + "also in the host name"
            case .dollar(let mark): "has a $ before \(mark.text): marks are written without it"
            case .fragment: "holds a #; the part after a # is never sent: remove it, or write %23"
            case .percent: "has a % without two hexadecimal digits behind it: write %25"
            }
        }
    }

    /// The parts of a URL.
    enum Place: String, Sendable {
        case scheme
        case hostName = "host name"
        case port
        case path
        case query

        func admits(_ mark: Mark) -> Bool {
            switch self {
            case .path, .query: true
            case .hostName: mark == .host
            case .scheme, .port: false
            }
        }
    }

    private enum Piece: Sendable {
        case text(String)
        case mark(Mark)
    }

    /// Pieces that belong together.
    private struct Run: Sendable {
        var pieces: [Piece]
        /// A part of the path between two slashes that holds a mark.
        var isSegment = false
    }

    private let runs: [Run]
    /// Whether each report has an address of its own.
    let namesReports: Bool

    init(_ url: String) throws(Problem) {
        // A scheme that lacks is told of by `Endpoint`.
        let schemeEnd = url.ranges(of: "://").first?.upperBound ?? url.startIndex
        let authorityEnd = url[schemeEnd...].firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? url.endIndex
        let pathEnd = url[authorityEnd...].firstIndex { $0 == "?" || $0 == "#" } ?? url.endIndex
        guard !url[pathEnd...].contains("#") else { throw .fragment }
        var runs = [Run(pieces: try Self.pieces(of: url[..<schemeEnd], in: .scheme))]
        runs += try Self.authorityRuns(url[schemeEnd..<authorityEnd])
        runs += try Self.pathRuns(url[authorityEnd..<pathEnd])
        runs.append(Run(pieces: try Self.pieces(of: url[pathEnd...], in: .query)))
        self.runs = runs
        namesReports = runs.contains { run in
            run.pieces.contains { if case .mark(.id) = $0 { true } else { false } }
        }
    }

    private static func authorityRuns(_ authority: Substring) throws(Problem) -> [Run] {
        // `Endpoint` refuses user names and passwords; no message is to hold a part of them.
        guard !authority.contains("@") else { return [Run(pieces: [.text(String(authority))])] }
        let port = authority.lastIndex(of: ":") ?? authority.endIndex
        return [
            Run(pieces: try pieces(of: authority[..<port], in: .hostName)),
            Run(pieces: try pieces(of: authority[port...], in: .port)),
        ]
    }

    private static func pathRuns(_ path: Substring) throws(Problem) -> [Run] {
        var runs: [Run] = []
        for (index, segment) in path.split(separator: "/", omittingEmptySubsequences: false).enumerated() {
            if index > 0 { runs.append(Run(pieces: [.text("/")])) }
            let pieces = try pieces(of: segment, in: .path)
            runs.append(Run(pieces: pieces, isSegment: pieces.contains { if case .mark = $0 { true } else { false } }))
        }
        return runs
    }

    private static func pieces(of text: Substring, in place: Place) throws(Problem) -> [Piece] {
        var pieces: [Piece] = []
        var rest = text
        while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            let before = rest[..<brace]
            guard rest[brace] == "{" else { throw .strayBrace }
            let name = rest[rest.index(after: brace)...].prefix { $0 != "{" && $0 != "}" }
            guard name.endIndex < rest.endIndex, rest[name.endIndex] == "}" else { throw .openBrace }
            guard let mark = Mark(rawValue: String(name)) else { throw .unknownMark(String(name.prefix(40)), place) }
            guard place.admits(mark) else { throw .misplaced(mark, place) }
            guard before.last != "$" else { throw .dollar(mark) }
            try pieces += [.text(checked(before)), .mark(mark)]
            rest = rest[rest.index(after: name.endIndex)...]
        }
        return try pieces + [.text(checked(rest))]
    }

    /// A `%` before a mark would make another character of the mark's first two.
    private static func checked(_ text: Substring) throws(Problem) -> String {
        var rest = text.utf8[...]
        while let percent = rest.firstIndex(of: UInt8(ascii: "%")) {
            let digits = rest[percent...].dropFirst().prefix(2)
            guard digits.count == 2, digits.allSatisfy({ $0.hexDigitValue != nil }) else {
                throw .percent
            }
            rest = rest[digits.endIndex...]
        }
        return String(text)
    }

    // MARK: - Filling in

    /// The URL with the values in place of the marks, each percent-encoded.
    ///
    /// A segment of the path that would be empty, `.` or `..` becomes `_`: servers and clients take those for other
    /// paths.
    func url(_ value: (Mark) -> String) -> String {
        var url = ""
        for run in runs {
            let text = run.pieces.reduce(into: "") { text, piece in
                switch piece {
                case .text(let literal): text += literal
                case .mark(let mark): text += PercentEncoding.encode(value(mark))
                }
            }
            url += run.isSegment && Self.isDots(text) ? "_" : text
        }
        return url
    }

    /// The address of one report.
    func url(for report: StoredReport, host: String) -> String {
        url { mark in
            switch mark {
            case .id: report.id.hex
            case .kind: report.properties.kind.rawValue
            case .host: host
            }
        }
    }

    /// The address of a report that there is not.
    func example(host: String) -> String {
        url { mark in
            switch mark {
            case .id: String(repeating: "0", count: 64)
            case .kind: ReportKind.crash.rawValue
            case .host: host
            }
        }
    }

    /// Whether a segment is empty, or one or two dots, however they are written (RFC 3986, section 6.2.2.3).
    private static func isDots(_ segment: String) -> Bool {
        guard segment.utf8.count <= 6 else { return false }
        let plain = segment.lowercased().replacing("%2e", with: ".")
        return plain.isEmpty || plain == "." || plain == ".."
    }
}
