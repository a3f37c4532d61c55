import DurableIO

/// A piece of an endpoint with its marks, taken apart once.
///
/// Everything that looks like a mark and is none is refused, because a server that answers 2xx for a path that nobody
/// meant would be taken for the right one, and the bytes deleted. Braces that are part of the text are written `%7B`
/// and `%7D`.
struct MarkedText: Sendable {
    enum Piece: Hashable, Sendable {
        case text(String)
        case mark(Mark)
    }

    private(set) var pieces: [Piece]

    init(_ text: Substring, in place: MarkPlace) throws(MarkProblem) {
        pieces = []
        var rest = text
        while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            let before = rest[..<brace]
            guard rest[brace] == "{" else { throw .strayBrace }
            let name = rest[rest.index(after: brace)...].prefix { $0 != "{" && $0 != "}" }
            guard name.endIndex < rest.endIndex, rest[name.endIndex] == "}" else { throw .openBrace }
            guard let mark = Mark(name) else { throw .unknownMark(String(name.prefix(80)), place) }
            guard place.admits(mark) else { throw .misplaced(mark, place) }
            guard before.last != "$" else { throw .dollar(mark) }
            try pieces += [.text(Self.checked(before)), .mark(mark)]
            rest = rest[rest.index(after: name.endIndex)...]
        }
        try pieces.append(.text(Self.checked(rest)))
    }

    /// A text that is taken as it is.
    init(literal text: String) {
        pieces = [.text(text)]
    }

    /// A mark with a text behind it.
    init(_ mark: Mark, then text: String = "") {
        pieces = [.mark(mark), .text(text)]
    }

    /// A `%` before a mark would make another character of the mark's first two.
    private static func checked(_ text: Substring) throws(MarkProblem) -> String {
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

    var hasMarks: Bool {
        pieces.contains { if case .mark = $0 { true } else { false } }
    }

    func holds(_ mark: Mark) -> Bool { pieces.contains(.mark(mark)) }

    /// The texts between the marks, with what `%XX` in them stands for.
    /// - Returns: `nil` where that is no UTF-8.
    func decoded() -> MarkedText? {
        var decoded = self
        for (index, piece) in pieces.enumerated() {
            guard case .text(let text) = piece else { continue }
            guard let plain = PercentEncoding.decode(text[...]) else { return nil }
            decoded.pieces[index] = .text(plain)
        }
        return decoded
    }

    /// The text with the values in place of the marks, each made fit for its place.
    func filled(_ values: MarkValues, _ fit: (String) -> String) -> String {
        pieces.reduce(into: "") { text, piece in
            switch piece {
            case .text(let literal): text += literal
            case .mark(let mark): text += fit(values[mark])
            }
        }
    }
}
