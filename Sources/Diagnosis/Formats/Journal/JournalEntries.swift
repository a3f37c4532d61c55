/// What the entries of a journal tell: how many there are, and the worst that has happened.
///
/// A core dump is an entry of its own. Any other crash stands in the messages of the process that crashed, line by line,
/// where the formats of text look for it.
struct JournalEntries {
    private(set) var count = 0
    private var coreDump: JournalEntry?
    private var messages: [LineOrigin: [ArraySlice<UInt8>]] = [:]
    private var order: [LineOrigin] = []
    /// How many bytes of messages are still to be looked at; entries of a damaged file may share one long message.
    private var byteCount = PayloadWindow.headByteCount + PayloadWindow.tailByteCount

    /// How many processes are told apart.
    private static let maximumOriginCount = 256

    mutating func add(_ entry: JournalEntry) {
        // Every entry has a time.
        guard entry.bytes("__REALTIME_TIMESTAMP") != nil else { return }
        self.count += 1
        if entry.isOfCoreDump {
            self.coreDump = entry
        } else if let message = entry.bytes("MESSAGE"), message.count <= self.byteCount {
            self.byteCount -= message.count
            let origin = entry.origin
            if self.messages[origin] == nil {
                guard self.order.count < Self.maximumOriginCount else { return }
                self.order.append(origin)
            }
            self.messages[origin, default: []] += message.isEmpty ? [message] : Array(TextLines(message))
        }
    }

    func diagnosis(format: String, contentType: String, of window: PayloadWindow) -> Diagnosis {
        let count = window.counted(self.count, "journal entry", "journal entries")
        var diagnosis = Diagnosis(format: format, contentType: contentType, kind: .log, summary: count)
        let texts = self.order.map { CapturedText(lines: self.messages[$0] ?? [], origin: $0, name: window.name) }
        let finding = TextFormats.read(texts)
        if var crash = self.coreDump?.crash {
            // What the process has said before its end says more than the signal.
            if let said = finding?.diagnosis.crash, said.process == crash.process, said.process != nil {
                crash.cause.message = said.cause.type == crash.cause.type ? said.cause.message : said.cause.sentence
            }
            diagnosis.kind = .crash
            diagnosis.crash = crash
            diagnosis.summary = "\(crash.summary()) (\(count))"
        } else if let finding {
            diagnosis.kind = finding.diagnosis.kind
            diagnosis.crash = finding.diagnosis.crash
            diagnosis.summary = "\(finding.diagnosis.summary) (\(count))"
        }
        return diagnosis
    }
}
