/// A panic of a Rust program.
enum RustPanicFormat {
    static func recognize(_ head: PayloadHead) -> Recognition? {
        guard let rest = head.title.dropping("thread '"),
            let verb = rest.range(of: " panicked at ")
        else { return nil }
        // The thread's number between its name and the verb is new, so it may be missing.
        let thread = rest[..<verb.lowerBound]
        guard let quote = thread.lastRange(of: "'") else { return nil }
        let name = thread[..<quote.lowerBound].text
        let (message, location) = self.messageAndLocation(title: rest[verb.upperBound...], head: head)
        return Recognition(
            format: "rust-panic", contentType: ContentType.text, kind: .crash,
            summary: "rust: panic '\(message)' at \(location.lastPathComponent) (thread \(name))")
    }

    private static func messageAndLocation(
        title: ArraySlice<UInt8>, head: PayloadHead
    ) -> (message: String, location: String) {
        // Before Rust 1.73 the message stood on the same line: 'MESSAGE', FILE:LINE:COLUMN
        if let old = title.dropping("'"), let end = old.lastRange(of: "', ") {
            return (old[..<end.lowerBound].text, old[end.upperBound...].text)
        }
        let body = head.bytes[title.endIndex...]
        let message = PayloadLines(body).lazy.map(\.trimmed).first { !$0.isEmpty }?.text ?? ""
        return (message, (title.droppingSuffix(":") ?? title).text)
    }
}

/// A panic or fatal error of a Go program.
enum GoPanicFormat {
    static func recognize(_ head: PayloadHead) -> Recognition? {
        let title = head.title
        guard title.starts(with: "panic: ".utf8) || title.starts(with: "fatal error: ".utf8) else { return nil }
        guard head.lines.contains(where: { $0.starts(with: "goroutine ".utf8) }) else { return nil }
        let place = self.function(in: head.lines).map { " in \($0)" } ?? ""
        return Recognition(
            format: "go-panic", contentType: ContentType.text, kind: .crash, summary: "go: \(title.text)\(place)")
    }

    /// The first function of the first goroutine that is not the runtime's, else the first one.
    private static func function(in lines: PayloadLines) -> String? {
        var isStack = false
        var first: String?
        for line in lines {
            if line.starts(with: "goroutine ".utf8) {
                if isStack { break }
                isStack = true
            } else if isStack, let initial = line.first, initial > 0x20, let arguments = line.lastRange(of: "(") {
                let name = line[..<arguments.lowerBound].text
                first = first ?? name
                if !name.hasPrefix("runtime."), name != "panic" { return name }
            } else if isStack, line.isEmpty {
                break
            }
        }
        return first
    }
}
