/// The `javacore` of an OpenJ9 machine: sections of lines, each with the name of its field at the beginning.
///
/// ```
/// 0SECTION       TITLE subcomponent dump routine
/// 1TISIGINFO     Dump Event "gpf" (00002000) received
/// 1TIDATETIMEUTC Date: 2026/11/28 at 07:21:40:123 (UTC)
/// 1XMCURTHDINFO  Current thread
/// 3XMTHREADINFO      "main" J9VMThread:0x…, state:R, prio=5
/// 4XESTACKTRACE                at com/example/shop/Till.open(Till.java:12(Compiled Code))
/// ```
/// The event tells whether the machine has crashed or somebody wanted to see its threads.
enum OpenJ9CoreFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("1TISIGINFO ")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        guard let place = places.first,
            let event = text.lines[place].after("Dump Event \"")?.before("\"")?.text.nonEmpty
        else { return nil }
        let core = OpenJ9Core(text.lines[place...])
        let (kind, type): (Diagnosis.Kind, String) =
            switch event {
            case "gpf": (.crash, core.signal ?? "general protection fault")
            case "abort": (.crash, "SIGABRT")
            case "traceassert", "corruptcache": (.crash, event)
            case "user": (.hang, "thread dump")
            default: (.diagnostic, event)
            }
        var crash = Crash(program: text.origin?.name ?? "java", process: core.process, cause: Crash.Cause(type: type))
        crash.cause.signal = kind == .crash && type.hasPrefix("SIG") ? type : nil
        let detail = text.lines[place].after("Detail \"")
        crash.cause.message = detail.map { Self.detail($0) }
        crash.threads = core.threads(crashed: kind == .crash)
        crash.system = core.system
        crash.runtime = core.runtime
        crash.occurredAt = core.time
        return TextFinding(
            diagnosis: Diagnosis(
                format: "jvm-javacore", contentType: ContentType.text, kind: kind, summary: crash.summary(),
                crash: crash),
            severity: kind == .crash ? .fatal : .finding, line: place)
    }

    /// `java/lang/OutOfMemoryError" "Java heap space" received`.
    private static func detail(_ text: ArraySlice<UInt8>) -> String {
        let parts = text.split(separator: UInt8(ascii: "\""), maxSplits: 8).map { $0.trimmed.text }
        let said = parts.filter { !$0.isEmpty && $0 != "received" }.prefix(2)
        return said.joined(separator: ": ").replacingSlashes
    }
}

extension String {
    /// A class as Java's sources write it; the machine has slashes between the parts of a package's name.
    fileprivate var replacingSlashes: String {
        String(self.map { $0 == "/" ? "." : $0 })
    }
}

/// The fields of a `javacore`.
private struct OpenJ9Core {
    private(set) var process: Int64?
    private(set) var signal: String?
    private(set) var system = Crash.System()
    private(set) var runtime: Crash.Runtime?
    private(set) var time: Int64?

    private let lines: ArraySlice<ArraySlice<UInt8>>

    init(_ lines: ArraySlice<ArraySlice<UInt8>>) {
        self.lines = lines
        for line in lines.prefix(8_192) {
            guard let first = line.first, first == UInt8(ascii: "1") || first == UInt8(ascii: "2") else { continue }
            if let text = line.dropping("1CIPROCESSID") {
                self.process = text.after("Process ID: ")?.leadingDigits?.decimalNumber
            } else if let text = line.dropping("1XHEXCPCODE")?.after("Signal_Number: "), !line.contains("Generic") {
                self.signal = text.trimmed.hexNumber.map { SignalName.linux(Int(clamping: $0)) }
            } else if let text = line.dropping("2XHOSLEVEL")?.after(" : ") {
                let words = text.trimmed.split(separator: 0x20, maxSplits: 1).map(\.text)
                (self.system.name, self.system.version) = (words.first, words.dropFirst().first)
            } else if let text = line.dropping("2XHCPUARCH")?.after(" : ") {
                self.system.architecture = text.trimmed.elementsEqual("amd64".utf8) ? "x86_64" : text.trimmed.text
            } else if let text = line.dropping("1CIJAVAVERSION") {
                let version = text.between("(build ", ")")?.text
                self.runtime = Crash.Runtime(name: "OpenJ9", version: version ?? text.trimmed.text)
            } else if let text = line.dropping("1TIDATETIMEUTC") {
                self.time = Self.milliseconds(in: text)
            }
        }
    }

    /// `Date: 2026/11/28 at 07:21:40:123 (UTC)`.
    private static func milliseconds(in text: ArraySlice<UInt8>) -> Int64? {
        guard let date = text.between("Date: ", " at "), let time = text.between(" at ", " (UTC)"), time.count >= 8
        else {
            return nil
        }
        let day = date.split(separator: UInt8(ascii: "/")).prefix(3).map(\.text).joined(separator: "-")
        return ZonedTime.milliseconds(in: "\(day)T\(time.prefix(8).text).\(time.dropFirst(9).text)Z")
    }

    /// The threads; the machine shows the current one first, and again among all.
    func threads(crashed: Bool) -> [Crash.Thread] {
        var threads: [Crash.Thread] = []
        var isCurrent = false
        for line in self.lines {
            if line.starts(with: "1XMCURTHDINFO".utf8) {
                isCurrent = true
            } else if line.starts(with: "1XMTHDINFO".utf8) {
                isCurrent = false
            } else if let text = line.dropping("3XMTHREADINFO "), let name = text.between("\"", "\"") {
                guard threads.count < Crash.Bounds.threadCount else { break }
                threads.append(Crash.Thread(name: name.text, isCrashed: isCurrent && crashed, frames: []))
            } else if let call = line.dropping("4XESTACKTRACE"), let last = threads.indices.last {
                if threads[last].frames.count < 1_024, let frame = Self.frame(call) {
                    threads[last].frames.append(frame)
                }
            }
        }
        return threads
    }

    /// `at com/example/shop/Till.open(Till.java:12(Compiled Code))`.
    private static func frame(_ text: ArraySlice<UInt8>) -> Crash.Frame? {
        guard let call = text.trimmed.dropping("at "), let open = call.firstIndex(of: UInt8(ascii: "(")) else {
            return nil
        }
        let name = call[..<open].map { $0 == UInt8(ascii: "/") ? UInt8(ascii: ".") : $0 }[...]
        let place = call[(open + 1)...].prefix { $0 != UInt8(ascii: "(") && $0 != UInt8(ascii: ")") }
        let location = SourceLocation(place)
        return Crash.Frame(
            function: name.text.nonEmpty, file: location?.file, line: location?.line,
            isOwn: JavaStack.isOwn(function: name, module: nil))
    }
}
