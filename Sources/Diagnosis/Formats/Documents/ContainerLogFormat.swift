/// The output of a container, as Docker keeps it: each line a JSON object with a piece of what the program wrote.
///
/// ```
/// {"log":"Traceback (most recent call last):\n","stream":"stderr","time":"2026-11-22T11:13:03.038846512Z"}
/// ```
/// A piece without a line end at its own end is the beginning of a line that was too long for one object. Source:
/// `daemon/logger/jsonfilelog` of Docker.
enum ContainerLogFormat: DocumentFormat {
    static let marks = ["log"]

    static func read(_ document: JSONDocument) -> Diagnosis? {
        guard document.isComplete, self.isEntry(document.root) else { return nil }
        let output = Output(document.window)
        // What a program writes to its standard output comes between the lines of a crash otherwise.
        for window in [output.window(of: .standardError), output.window(of: .standardOutput)] {
            guard var diagnosis = StructuredLogFormat.readText(window) ?? TextFormats.read(window) else { continue }
            diagnosis.contentType = ContentType.jsonLines
            return diagnosis
        }
        let title = output.first.trimmed.text
        return Diagnosis(
            format: "container-log", contentType: ContentType.jsonLines, kind: .log,
            summary: title.isEmpty ? "blank text" : title)
    }

    private static func isEntry(_ entry: JSONObject) -> Bool {
        entry["log"]?.stringValue != nil && entry["time"]?.stringValue != nil && self.stream(of: entry) != nil
    }

    private enum Stream: String {
        case standardOutput = "stdout"
        case standardError = "stderr"
    }

    private static func stream(of entry: JSONObject) -> Stream? {
        entry.text("stream").flatMap { Stream(rawValue: $0) }
    }

    /// What the program wrote.
    private struct Output {
        private let window: PayloadWindow
        private var heads: [Stream: [UInt8]] = [:]
        private var tails: [Stream: [UInt8]] = [:]
        /// The first line that is not blank.
        private(set) var first: ArraySlice<UInt8> = []

        init(_ window: PayloadWindow) {
            self.window = window
            self.add(TextLines(window.isWhole ? (window.head + window.tail)[...] : window.head), to: \.heads)
            guard !window.isWhole else { return }
            // The first line of the tail has lost its beginning.
            var lines = TextLines(window.tail)
            _ = lines.next()
            self.add(lines, to: \.tails)
        }

        private mutating func add(_ lines: TextLines, to part: WritableKeyPath<Output, [Stream: [UInt8]]>) {
            for line in lines {
                guard let entry = JSONValue.parsePrefix(line).value?.objectValue,
                    let stream = ContainerLogFormat.stream(of: entry), let text = entry["log"]?.stringValue
                else { continue }
                if self.first.trimmed.isEmpty {
                    self.first = TextLines(Array(text.utf8)[...]).first { !$0.trimmed.isEmpty } ?? []
                }
                self[keyPath: part][stream, default: []] += text.utf8
            }
        }

        func window(of stream: Stream) -> PayloadWindow {
            StructuredLogFormat.window(
                self.window, head: self.heads[stream] ?? [], tail: self.tails[stream] ?? [])
        }
    }
}
