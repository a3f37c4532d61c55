import DurableIO

/// A part of an endpoint in which marks may stand.
enum MarkPlace: String, Sendable {
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

/// Why a text is no endpoint with marks. Never holds what stands in a query: that may be a secret.
enum MarkProblem: Error, Hashable, CustomStringConvertible {
    case unknownMark(String, MarkPlace)
    case openBrace
    case strayBrace
    case misplaced(Mark, MarkPlace)
    /// `${id}`: what a shell or a unit file would fill in.
    case dollar(Mark)
    case fragment
    case percent

    private static let escaped = "write a literal brace as %7B or %7D"

    var description: String {
        switch self {
        case .unknownMark(_, .query): "has an unknown mark in its query: \(Mark.known); \(Self.escaped)"
        case .unknownMark(let name, _):
            "has the unknown mark {\(Printable.text(name))}: \(Mark.known); \(Self.escaped)"
        case .openBrace: "has a { that opens no mark: \(Mark.known); \(Self.escaped)"
        case .strayBrace: "has a } that ends no mark: \(Mark.known); \(Self.escaped)"
        case .misplaced(let mark, let place):
            "has \(mark.text) in its \(place.rawValue): marks stand in path and query, {host} also in the host name"
        case .dollar(let mark): "has a $ before \(mark.text): marks are written without it"
        case .fragment: "holds a #; the part after a # is never sent: remove it, or write %23"
        case .percent: "has a % without two hexadecimal digits behind it: write %25"
        }
    }
}
