/// Sorts the lines of a capture by the processes that wrote them, and takes off what the collector added.
struct LineSorter {
    /// The lines of one process so far.
    private struct Strand {
        /// What tells the process from others.
        let mark: [UInt8]
        let origin: LineOrigin?
        var lines: [ArraySlice<UInt8>] = []
        var gap: Int?
    }

    /// How many processes are told apart; the lines of all others stay together.
    private static let maximumStrandCount = 64

    private let style: CollectorStyle
    /// The first one has the lines of which no process is known.
    private var strands = [Strand(mark: [], origin: nil)]
    private var hasGap = false
    /// The strand of the last line.
    private var current = 0
    /// How long the prefix of the last line was, where the collector indents further lines by it; else 0.
    private var indentation = 0

    init(style: CollectorStyle) {
        self.style = style
    }

    /// Says that bytes are missing before the lines to come.
    mutating func openGap() { self.hasGap = true }

    mutating func add(_ bytes: ArraySlice<UInt8>) {
        bytes.withView { view in
            var view = view
            while let line = view.takeLine() { self.add(line, of: bytes) }
        }
    }

    private mutating func add(_ line: ByteView, of bytes: ArraySlice<UInt8>) {
        if self.indentation > 0, let start = self.startOfContinuation(line) {
            return self.append(bytes[start..<line.endIndex])
        }
        if line.first == UInt8(ascii: "{"), let inner = DockerLogLine.text(of: bytes[line.indices]) {
            self.current = 0
            for line in TextLines(inner) { self.append(line) }
            return
        }
        let prefix = LinePrefix(of: line, in: self.style)
        self.current = self.strand(of: prefix)
        self.indentation = prefix.indentsMessages ? prefix.endIndex - line.startIndex : 0
        let rest = bytes[prefix.endIndex..<line.endIndex]
        if !prefix.name.isEmpty, line.contains(UInt8(ascii: "#")), let lines = SyslogEscapes.lines(of: rest) {
            for line in lines { self.append(line) }
        } else {
            self.append(rest)
        }
    }

    func texts(name: PayloadName) -> [CapturedText] {
        self.strands.compactMap { strand in
            strand.lines.isEmpty
                ? nil : CapturedText(lines: strand.lines, origin: strand.origin, gap: strand.gap, name: name)
        }
    }

    /// Where the text begins of a further line of the last message: journalctl indents it by the length of the prefix.
    private func startOfContinuation(_ line: ByteView) -> Int? {
        if line.isEmpty { return line.startIndex }
        let blanks = line.prefix(self.indentation)
        return blanks.count == self.indentation && blanks.allSatisfy { $0 == 0x20 } ? blanks.endIndex : nil
    }

    private mutating func append(_ line: ArraySlice<UInt8>) {
        if self.hasGap, self.strands[self.current].gap == nil {
            self.strands[self.current].gap = self.strands[self.current].lines.count
        }
        self.strands[self.current].lines.append(line)
    }

    private mutating func strand(of prefix: LinePrefix) -> Int {
        guard !prefix.mark.isEmpty else { return 0 }
        // Lines of one process mostly follow each other.
        if self.strands[self.current].mark.elementsEqual(prefix.mark) { return self.current }
        if let known = self.strands.firstIndex(where: { $0.mark.elementsEqual(prefix.mark) }) { return known }
        guard self.strands.count <= Self.maximumStrandCount else { return 0 }
        self.strands.append(Strand(mark: Array(prefix.mark), origin: prefix.origin))
        return self.strands.count - 1
    }
}

/// A line of the file that Docker keeps of a container's output: `{"log":"LINE\n","stream":"stderr","time":"…"}`.
enum DockerLogLine {
    private static let beginning = #"{"log":""#

    /// The line as the container wrote it; `nil` if it is something else.
    static func text(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard line.starts(with: self.beginning.utf8), let object = JSONValue.parsePrefix(line).value,
            object["stream"] != nil
        else { return nil }
        return object["log"]?.stringValue.map { Array($0.utf8)[...] }
    }
}

/// Control characters within a syslog message as rsyslog writes them: `#` and three octal digits.
enum SyslogEscapes {
    /// The lines of a message; `nil` if it has no line end or tab in it.
    static func lines(of message: ArraySlice<UInt8>) -> [ArraySlice<UInt8>]? {
        guard message.contains("#012") || message.contains("#011") else { return nil }
        var plain: [UInt8] = []
        var rest = message
        while let sign = rest.firstIndex(of: UInt8(ascii: "#")) {
            plain.append(contentsOf: rest[..<sign])
            rest = rest[sign...]
            if let byte = self.control(rest.prefix(4)) {
                plain.append(byte)
                rest = rest.dropFirst(4)
            } else {
                plain.append(UInt8(ascii: "#"))
                rest = rest.dropFirst()
            }
        }
        plain.append(contentsOf: rest)
        return Array(TextLines(plain[...]))
    }

    private static func control(_ escape: ArraySlice<UInt8>) -> UInt8? {
        switch escape.dropFirst().text {
        case "011": 0x09
        case "012": 0x0a
        case "015": 0x0d
        default: nil
        }
    }
}
