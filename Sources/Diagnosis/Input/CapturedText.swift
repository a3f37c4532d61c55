/// Text as a program, a terminal or a log collector captured it, line by line.
///
/// The lines are without their ends (LF or CR LF), without the sequences that set colours, and without what a collector
/// wrote before each of them: times, host names, names of services (``LinePrefix``). Lines that the collector has
/// marked as coming from different processes are apart in different texts, so that a crash is read without the lines
/// that came between.
struct CapturedText {
    /// The lines, in order.
    let lines: [ArraySlice<UInt8>]
    /// The process that wrote the lines, as the collector tells it.
    let origin: LineOrigin?
    /// The index of the first line behind a gap: bytes before it are outside of the window.
    let gap: Int?
    /// The name the payload was dropped under.
    let name: PayloadName

    /// A text of lines that are ready.
    init(lines: [ArraySlice<UInt8>], origin: LineOrigin? = nil, gap: Int? = nil, name: PayloadName = PayloadName([])) {
        self.lines = lines
        self.origin = origin
        self.gap = gap
        self.name = name
    }

    /// Reads the texts in a window: one, or one for each process that the collector names.
    static func texts(in window: PayloadWindow) -> [CapturedText] {
        let head = PersistentStore.inOrder(TerminalControls.removed(from: window.head))
        var sorter = LineSorter(style: head.withView { CollectorStyle(of: $0) })
        sorter.add(head)
        if !window.tail.isEmpty {
            let hasGap = window.gapByteCount > 0
            if hasGap { sorter.openGap() }
            let tail = TerminalControls.removed(from: window.tail)
            // The first line behind a gap has lost its beginning.
            let firstEnd = hasGap ? tail.firstIndex(of: UInt8(ascii: "\n")) : nil
            sorter.add(firstEnd.map { tail[($0 + 1)...] } ?? tail)
        }
        return sorter.texts(name: window.name)
    }
}

/// The lines of a text, without their ends (LF or CR LF).
struct TextLines: Sequence, IteratorProtocol {
    /// The lines that are still to come.
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        self.rest = bytes
    }

    mutating func next() -> ArraySlice<UInt8>? {
        let (line, next) = self.rest.withView { text in
            var text = text
            return (text.takeLine()?.indices, text.startIndex)
        }
        defer { self.rest = self.rest[next...] }
        return line.map { self.rest[$0] }
    }
}

extension Sequence<ArraySlice<UInt8>> {
    /// The fields `NAME: VALUE` among the lines: of each wanted name its first value, unless that is empty.
    func fields(_ names: Set<String>) -> [String: String] {
        var fields: [String: String] = [:]
        for line in self {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon - line.startIndex <= 64 else { continue }
            let name = String(decoding: line[..<colon], as: UTF8.self)
            guard names.contains(name), fields[name] == nil else { continue }
            fields[name] = line[(colon + 1)...].trimmed.text.nonEmpty
        }
        return fields
    }
}
