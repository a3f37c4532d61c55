/// What a Swift program wrote last before it crashed.
struct SwiftLastWords {
    /// The kind of the failure in the runtime's words; `nil` for words of somebody else.
    let type: String?
    private let message: String
    private let location: SourceLocation?
    /// The index of the line where the words stand.
    let line: Int

    /// Whether the words name a file of Swift's sources.
    var hasSwiftFile: Bool {
        self.location.map { $0.file.hasSuffix(".swift") && !$0.file.contains(" ") } ?? false
    }

    /// The first line of the words, without the place.
    var sentence: String {
        let message = self.message.split(whereSeparator: \.isNewline).first.map(String.init)
        return Words.join(self.type, message, separator: ": ")
    }

    /// Looks for the runtime's words in the lines before `end`.
    /// - Parameters:
    ///   - end: the index of the line where the crash is told.
    ///   - lines: all lines.
    ///   - isAbort: whether the last line counts whatever it says. A program that aborts has mostly said why.
    init?(before end: Int, in lines: [ArraySlice<UInt8>], isAbort: Bool) {
        // What stands before the report of an earlier crash was about that one.
        let reach = lines[..<end].suffix(TextBounds.messageLineCount)
        let earlier = reach.lastIndex { $0.starts(with: "*** ".utf8) || $0.starts(with: "Backtrace took ".utf8) }
        let last = earlier.map { reach[($0 + 1)...] } ?? reach
        for index in last.indices.reversed() {
            guard let words = Self.words(in: lines[index]) else { continue }
            self.line = index
            self.type = words.type
            self.location = SourceLocation(words.place)
            // A message may have several lines.
            let more = lines[(index + 1)..<max(index + 1, end)].prefix { !$0.starts(with: "Current stack".utf8) }
            self.message = ([words.message] + more).map(\.text).joined(separator: "\n").trimmingBlanks
            return
        }
        guard isAbort, let index = last.lastIndex(where: { !$0.trimmed.isEmpty }) else { return nil }
        self.line = index
        self.type = nil
        self.location = nil
        self.message = lines[index].trimmed.text
    }

    private static let types = ["Fatal error", "Precondition failed", "Assertion failed"]

    /// `FILE:LINE: Fatal error: MESSAGE`, each part but the middle one optional.
    private static func words(
        in line: ArraySlice<UInt8>
    ) -> (type: String, place: ArraySlice<UInt8>, message: ArraySlice<UInt8>)? {
        for type in self.types {
            guard let range = line.range(of: type) else { continue }
            let place = line[..<range.lowerBound]
            let behind = line[range.upperBound...]
            guard let message = behind.isEmpty ? behind : behind.dropping(": ") else { continue }
            if place.isEmpty { return self.oldWords(type, message) }
            guard let place = place.droppingSuffix(": "), SourceLocation(place) != nil else { continue }
            return (type, place, message)
        }
        return nil
    }

    /// Before Swift 5.4 the place stands at the end: `Fatal error: MESSAGE: file shop/main.swift, line 12`.
    private static func oldWords(
        _ type: String, _ message: ArraySlice<UInt8>
    ) -> (type: String, place: ArraySlice<UInt8>, message: ArraySlice<UInt8>) {
        guard
            let file = message.lastRange(of: ": file ")
                ?? (message.starts(with: "file ".utf8) ? message.range(of: "file ") : nil),
            let line = message[file.upperBound...].lastRange(of: ", line ")
        else { return (type, [], message) }
        let place = message[file.upperBound..<line.lowerBound] + [UInt8(ascii: ":")] + message[line.upperBound...]
        return (type, place, message[..<file.lowerBound])
    }

    /// Makes the words the crash's cause, and where no stack is known, its place.
    func complete(_ crash: inout Crash) {
        if let type = self.type { crash.cause.type = type }
        crash.cause.message = self.message.nonEmpty ?? crash.cause.message
        guard let location = self.location, location.file.hasSuffix(".swift") else { return }
        // The name of a file in the standard library begins with that of its module.
        let isOwn = !location.file.hasPrefix("Swift/")
        guard let thread = crash.threads.firstIndex(where: \.isCrashed) else {
            let frame = Crash.Frame(
                file: location.file, line: location.line, column: location.column, isOwn: isOwn)
            crash.threads = [Crash.Thread(isCrashed: true, frames: [frame])]
            return
        }
        // A stack without names has at least this place.
        guard isOwn, let frame = crash.threads[thread].frames.firstIndex(where: \.isOwn),
            crash.threads[thread].frames[frame].function == nil, crash.threads[thread].frames[frame].file == nil
        else { return }
        crash.threads[thread].frames[frame].file = location.file
        crash.threads[thread].frames[frame].line = location.line
    }
}

extension String {
    /// Without white space at both ends.
    fileprivate var trimmingBlanks: String {
        let start = self.firstIndex { !$0.isWhitespace } ?? self.endIndex
        let end = self.lastIndex { !$0.isWhitespace }.map { self.index(after: $0) } ?? self.endIndex
        return start < end ? String(self[start..<end]) : ""
    }
}
