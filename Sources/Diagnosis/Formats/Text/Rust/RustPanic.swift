/// One panic of a Rust program, as its lines tell it.
struct RustPanic {
    let thread: String
    /// The number of the thread, which Rust writes since 1.91.
    let number: Int64?
    let message: String
    private let location: SourceLocation
    private let stack: [Crash.Frame]

    /// Reads the panic that begins with the first of some lines; `nil` where none does.
    init?(_ lines: ArraySlice<ArraySlice<UInt8>>) {
        guard let title = lines.first?.dropping("thread '"), let verb = title.range(of: " panicked at "),
            let quote = title[..<verb.lowerBound].lastRange(of: "'")
        else { return nil }
        self.thread = title[..<quote.lowerBound].text
        self.number = title[quote.upperBound..<verb.lowerBound].between("(", ")")?.decimalNumber
        let rest = title[verb.upperBound...]
        let place: ArraySlice<UInt8>
        // The crate log-panics has a colon there.
        if let old = rest.dropping("'"), let end = old.lastRange(of: "', ") ?? old.lastRange(of: "': ") {
            self.message = old[..<end.lowerBound].text
            place = old[end.upperBound...]
        } else {
            self.message = Self.message(lines.dropFirst())
            place = rest.droppingSuffix(":") ?? rest
        }
        guard let location = SourceLocation(place) else { return nil }
        self.location = location
        self.stack = RustBacktrace.frames(in: lines.dropFirst())
    }

    /// The lines between the first one and what the runtime adds to a panic. Where it adds nothing, only what an
    /// assertion writes belongs to the message for sure besides the first line.
    private static func message(_ lines: ArraySlice<ArraySlice<UInt8>>) -> String {
        let candidates = lines.prefix(TextBounds.messageLineCount)
        let end = candidates.firstIndex { line in
            line.elementsEqual("stack backtrace:".utf8) || line.starts(with: "note: run with `RUST_BACKTRACE".utf8)
                || line.starts(with: "thread '".utf8)
        }
        if let end, !candidates[end].starts(with: "thread '".utf8) {
            let message = candidates[..<end]
            let last = message.lastIndex { !$0.trimmed.isEmpty }.map { $0 + 1 } ?? message.startIndex
            return message[..<last].map(\.text).joined(separator: "\n")
        }
        guard let first = candidates.firstIndex(where: { !$0.trimmed.isEmpty }) else { return "" }
        let operands = candidates[(first + 1)...].prefix {
            $0.starts(with: "  left: ".utf8) || $0.starts(with: " right: ".utf8)
        }
        return ([candidates[first].trimmed] + operands).map(\.text).joined(separator: "\n")
    }

    /// The stack of the panic; without one, the place that the first line names.
    var frames: [Crash.Frame] {
        guard self.stack.isEmpty else { return self.stack }
        return [
            Crash.Frame(
                file: self.location.file, line: self.location.line, column: self.location.column,
                isOwn: RustBacktrace.isOwn(file: self.location.file))
        ]
    }

    /// The place of the panic as a summary names it.
    var place: String {
        let column = self.location.column.map { ":\($0)" } ?? ""
        return "\(self.location.file.lastPathComponent):\(self.location.line)\(column)"
    }
}
