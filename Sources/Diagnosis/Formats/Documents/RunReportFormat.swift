/// The document of `reports run`: how a program ended, and what it wrote to standard error.
///
/// ```
/// {"format":"reports-run","version":1,"incident":"5f0c…","cause":"signal","message":"Fatal error: Index out of range",
///  "program":{"name":"shopd","path":"/usr/bin/shopd","arguments":5,"argv":null,"cwd":"/srv","pid":2740,"uid":1000},
///  "exit":{"code":null,"signal":11,"signal_name":"SIGSEGV","core_dumped":true},"ended_at":"2026-11-29T08:00:00.000Z",
///  "stderr":{"bytes":48211,"head":"…","tail":"…","dropped":0,"base64":false,"crash":"head"},"files":[…]}
/// ```
/// Where standard error holds the crash, its stack and its cause are those of the document as well. `crash` says which
/// part of it does: `none` where what it tells of is not what the program died of. Older documents do not have it.
enum RunReportFormat: DocumentFormat {
    static let marks = ["incident"]

    static func read(_ document: JSONDocument) -> Diagnosis? {
        guard document["format"]?.stringValue == "reports-run", let cause = document["cause"]?.stringValue else {
            return nil
        }
        let stderr = self.stderr(document)
        let text = stderr.flatMap(self.crash)
        var crash = text?.crash ?? Crash(cause: self.cause(cause, document))
        let program = document["program"]
        crash.program = program?["name"]?.stringValue?.nonEmpty ?? crash.program
        crash.process = program?["pid"]?.integerValue ?? crash.process
        crash.version = document["release"]?.stringValue?.nonEmpty ?? crash.version
        if text == nil { crash.lastWords = self.lastWords(document) }
        crash.occurredAt = document["ended_at"]?.stringValue.flatMap(ZonedTime.milliseconds)
        let signal = document["exit"]?["signal_name"]?.stringValue?.nonEmpty
        crash.cause.signal = crash.cause.signal ?? signal
        var diagnosis = document.diagnosis(
            format: "reports-run", kind: self.isDeath(cause, document) ? .crash : .diagnostic,
            summary: crash.summary(), crash: crash)
        diagnosis.innerFormat = text?.innerFormat ?? text?.format
        // The same fault has the same signature, whichever of an incident's reports is looked at. A text seldom names the
        // program.
        diagnosis.innerSignature = text?.signature
        return diagnosis
    }

    /// A program that ended well has left a report, or was to be told of in any case.
    private static func isDeath(_ cause: String, _ document: JSONDocument) -> Bool {
        cause != "file" && document["exit"]?["code"]?.integerValue != 0
    }

    private static func cause(_ cause: String, _ document: JSONDocument) -> Crash.Cause {
        let exit = document["exit"]
        let type =
            switch cause {
            case "signal": exit?["signal_name"]?.stringValue?.nonEmpty ?? "signal"
            case "exit": exit?["code"]?.integerValue.map { "exit status \($0)" } ?? "exit"
            case "oom": "out of memory"
            case "file": "report"
            // The message says it whole, and the signal is told beside it.
            case "killed": self.words(document, without: exit?["signal_name"]?.stringValue) ?? cause
            default: cause
            }
        return Crash.Cause(type: type, message: document["message"]?.stringValue.flatMap { self.rest(of: $0, type) })
    }

    /// The message without the signal at its end.
    private static func words(_ document: JSONDocument, without signal: String?) -> String? {
        guard let message = document["message"]?.stringValue, message.hasPrefix("killed") else { return nil }
        let end = " (\(signal ?? "SIGKILL"))"
        return message.hasSuffix(end) ? String(message.dropLast(end.count)) : message
    }

    /// What a message says besides the type of the cause.
    private static func rest(of message: String, _ type: String) -> String? {
        guard message != "ended by \(type)", message != "\(type) (SIGKILL)" else { return nil }
        guard message.hasPrefix(type) else { return message.nonEmpty }
        let isBetween = { (byte: UInt8) in byte == UInt8(ascii: ":") || byte == UInt8(ascii: " ") }
        let rest = message.utf8.dropFirst(type.utf8.count)
        guard rest.first.map(isBetween) ?? true else { return message }
        return String(decoding: rest.drop(while: isBetween), as: UTF8.self).nonEmpty
    }

    /// What of standard error may hold the crash: what follows its mark, and the end.
    private static func stderr(_ document: JSONDocument) -> [[UInt8]]? {
        guard let stderr = document["stderr"] else { return nil }
        switch stderr["crash"]?.stringValue {
        case nil: return [self.bytes("head", of: stderr), self.bytes("tail", of: stderr)]
        case let part?: return part == "none" ? nil : [self.bytes(part, of: stderr)]
        }
    }

    private static func bytes(_ key: String, of stderr: JSONValue) -> [UInt8] {
        let text = stderr[key]?.stringValue ?? ""
        return stderr["base64"]?.boolValue == true ? self.decoded(text) : Array(text.utf8)
    }

    /// The last lines of standard error.
    private static func lastWords(_ document: JSONDocument) -> String? {
        guard let tail = document["stderr"].map({ self.bytes("tail", of: $0) }) else { return nil }
        var end = tail.suffix(self.lastByteCount)
        // It begins with a whole line.
        if end.count < tail.count, let newline = end.firstIndex(of: UInt8(ascii: "\n")) { end = end[(newline + 1)...] }
        return String(decoding: end, as: UTF8.self).nonEmpty
    }

    private static let lastByteCount = 2 << 10

    private static func crash(in parts: [[UInt8]]) -> Diagnosis? {
        for bytes in parts where !bytes.isEmpty {
            let window = PayloadWindow(head: bytes[...], byteCount: bytes.count, name: PayloadName([]))
            if let found = TextFormats.read(window), found.kind == .crash, found.crash != nil { return found }
        }
        return nil
    }

    /// The bytes of base64 (RFC 4648), up to the first character that is none.
    private static func decoded(_ text: String) -> [UInt8] {
        var (bytes, bits, count) = ([UInt8](), UInt32(0), 0)
        for character in text.utf8 {
            guard let value = self.value(ofDigit: character) else { break }
            bits = bits << 6 | value
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return bytes
    }

    private static func value(ofDigit character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
