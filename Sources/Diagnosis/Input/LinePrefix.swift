/// The process that a collector names before a line, for example `pusherd[3144]`.
struct LineOrigin: Hashable, Sendable {
    /// The program, service or container; `kernel` for the kernel's own lines.
    let name: String
    let process: Int64?
}

/// What a log collector wrote before a line of a program: times, priorities, hosts, and names of services.
///
/// It knows syslog (RFC 3164, RFC 5424 and the forms of journalctl, rsyslog and Heroku), the kernel's ring buffer and
/// its copy in the persistent store, Android's log, containers (CRI, `docker compose`, `kubectl logs --prefix`,
/// `docker logs`, `docker build`), pm2 and foreman, and plain time stamps. Blanks behind a prefix are left but for one, because they may
/// be the line's own indentation.
///
/// It holds views of the line, so it lives no longer than that.
struct LinePrefix {
    /// Where the program's own line begins.
    private(set) var endIndex: Int
    /// The name of the process or of its service; empty where the collector names none.
    private(set) var name = ByteView()
    private(set) var process: Int64?
    /// All that tells the line's process from others, as it stands in the line.
    private(set) var mark = ByteView()
    /// Whether the collector indents the further lines of a message by the length of the prefix.
    private(set) var indentsMessages = false

    private var scanner: LineScanner

    init(of line: ByteView, in style: CollectorStyle) {
        self.endIndex = line.startIndex
        self.scanner = LineScanner(line)
        guard style.namesEachLine || style.hasJobs || Self.mayBegin(line) else { return }
        if style.hasJobs { _ = self.scanner.takeJobAndStep() }
        if style.namesEachLine, let service = self.scanner.takeServiceName() {
            self.setOrigin(Self.service(service), mark: service)
            _ = self.scanner.takeInternetTime()
        } else if !self.takePod() {
            self.takePrefix(in: style)
        }
        self.endIndex = self.scanner.rest.startIndex
    }

    var origin: LineOrigin? {
        self.name.isEmpty ? nil : LineOrigin(name: self.name.text, process: self.process)
    }

    /// Whether a line may have a prefix, by a few of its first bytes: `<` of a priority, `[` of the kernel, a digit, the
    /// three letters of a month or weekday and a blank, a level of Android's log and a slash, a facility, `#` of a build.
    ///
    /// Looked at first, since nearly all lines of programs begin in a way that no prefix does.
    static func mayBegin(_ line: ByteView) -> Bool {
        guard let first = line.first else { return false }
        if first.isDigit || "<[#".utf8.contains(first) { return true }
        guard first.isLetter, line.count > 4 else { return false }
        let start = line.startIndex
        if line[start + 3] == 0x20 || line[start + 1] == UInt8(ascii: "/") { return true }
        switch first {
        case UInt8(ascii: "k"): return line.starts(with: "kern".utf8)
        case UInt8(ascii: "u"): return line.starts(with: "user".utf8)
        case UInt8(ascii: "d"): return line.starts(with: "daemon".utf8)
        default: return false
        }
    }

    /// The service whose instances are numbered: `web` of `web-1`, `web_1`, `web.1` and `web.1.x9k2@node`.
    ///
    /// The same fault in two instances is one fault, so the number is no part of the name.
    private static func service(_ instance: ByteView) -> ByteView {
        for index in instance.indices.dropFirst() where "-_.".utf8.contains(instance[index]) {
            let rest = instance[(index + 1)...].drop(while: \.isDigit)
            guard rest.startIndex > index + 1 else { continue }
            // Behind the number of a task of a swarm stands its identifier.
            let isTask = instance[index] == UInt8(ascii: ".") && rest.first == UInt8(ascii: ".")
            if rest.isEmpty || isTask { return instance[..<index] }
        }
        return instance
    }

    private mutating func setOrigin(_ name: ByteView, process: Int64? = nil, mark: ByteView) {
        (self.name, self.process, self.mark) = (name, process, mark)
    }

    private mutating func takePrefix(in style: CollectorStyle) {
        let priority = self.takePriority()
        if priority == .structured, self.takeStructured() { return }
        if self.scanner.takeSyslogTime() || self.scanner.takeFullTime() {
            self.takeHostAndTag(in: style)
        } else if self.scanner.takeInternetTime() {
            if !self.scanner.takeStream() { self.takeHostAndTag(in: style) }
        } else if let logcat = LogcatPrefix(&self.scanner) {
            self.setOrigin(logcat.tag, process: logcat.process, mark: logcat.mark)
        } else if self.scanner.takeBracketedTime() || self.scanner.takePlainTime() || self.scanner.takeBuildStep() {
            return
        } else if self.takeEpoch() {
            return
        }
        self.takeKernelTime()
    }

    // MARK: - Syslog

    private enum Priority { case none, plain, structured }

    /// `<13>`, and the version behind it in RFC 5424: `<13>1 `. Some senders write the length of the message before it.
    private mutating func takePriority() -> Priority {
        var copy = self.scanner
        if copy.takeDigits(1...7), !copy.accept(0x20) { return .none }
        guard copy.accept(UInt8(ascii: "<")), copy.takeDigits(1...3), copy.accept(UInt8(ascii: ">")),
            let next = copy.rest.first, next > 0x20
        else { return .none }
        let isStructured = copy.accept("1 ")
        self.scanner = copy
        return isStructured ? .structured : .plain
    }

    /// RFC 5424 behind the version: `TIME HOST APP PROCESS MESSAGE-ID DATA MESSAGE`.
    private mutating func takeStructured() -> Bool {
        var copy = self.scanner
        guard copy.takeInternetTime() || copy.accept("- "), copy.takeWord() != nil, let app = copy.takeWord(),
            let process = copy.takeWord(), copy.takeWord() != nil
        else { return false }
        let mark = self.scanner.rest[app.startIndex..<process.endIndex]
        copy.skipStructuredData()
        // Text in UTF-8 has a mark of its own there.
        _ = copy.accept("\u{feff}")
        self.scanner = copy
        let isNamed = !process.allSatisfy(\.isDigit) && !process.elementsEqual("-".utf8)
        self.setOrigin(isNamed ? Self.service(process) : app, process: process.decimalNumber, mark: mark)
        return true
    }

    /// What stands between a syslog time and the line: the host and the tag, or the tag alone.
    private mutating func takeHostAndTag(in style: CollectorStyle) {
        if self.takeTag(needsProcess: true) { return }
        var copy = self.scanner
        guard let host = copy.takeWord(), host.count <= 255 else { return }
        let line = self.scanner
        self.scanner = copy
        let isKnownHost = style.host.map { host.elementsEqual($0) } ?? false
        if self.takeTag(needsProcess: !isKnownHost) {
            if self.name.elementsEqual("kernel".utf8) { self.takeKernelTime() }
            self.indentsMessages = true
        } else {
            self.scanner = line
        }
    }

    /// `NAME[PROCESS]: ` or `kernel: `. Any other name without a number is a program's own word, unless it is certain
    /// that a host stands before it.
    private mutating func takeTag(needsProcess: Bool) -> Bool {
        var copy = self.scanner
        let name = copy.rest.prefix(65).prefix {
            $0 > 0x20 && $0 != UInt8(ascii: "[") && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "\"")
        }
        guard (1...64).contains(name.count) else { return false }
        copy.accept(to: name.endIndex)
        var inner = ByteView()
        if copy.accept(UInt8(ascii: "[")) {
            inner = copy.rest.prefix(64).prefix { $0 > 0x20 && $0 != UInt8(ascii: "]") }
            copy.accept(to: inner.endIndex)
            guard !inner.isEmpty, copy.accept(UInt8(ascii: "]")) else { return false }
        } else if needsProcess, !name.elementsEqual("kernel".utf8) {
            return false
        }
        let mark = self.scanner.rest[..<copy.rest.startIndex]
        guard copy.accept(": ") || copy.accept(":") && (!inner.isEmpty || copy.rest.isEmpty) else { return false }
        self.scanner = copy
        // Heroku writes the name of the service or process where others write the number.
        let isNamed = !inner.isEmpty && !inner.allSatisfy(\.isDigit)
        self.setOrigin(isNamed ? Self.service(inner) : name, process: inner.decimalNumber, mark: mark)
        return true
    }

    /// `1795346010.237642 HOST NAME[PROCESS]: `; a number without a host and a tag behind it is a program's own.
    private mutating func takeEpoch() -> Bool {
        let line = self.scanner
        guard self.scanner.takeDigits(9...11), self.scanner.accept(UInt8(ascii: ".")), self.scanner.takeDigits(6...6),
            self.scanner.accept(0x20), self.scanner.takeWord() != nil, self.takeTag(needsProcess: true)
        else {
            self.scanner = line
            return false
        }
        self.indentsMessages = true
        return true
    }

    // MARK: - The kernel, and containers

    /// The kernel's time since its start, with what `dmesg` and the kernel's configuration may write around it.
    ///
    /// journalctl writes that time too, and the host and a tag behind it.
    private mutating func takeKernelTime() {
        guard self.scanner.takeKernelRecord() else { return }
        if self.name.isEmpty {
            let line = self.scanner
            // Other names with a number are those of programs of which the kernel tells.
            if line.rest.starts(with: "systemd".utf8), self.takeTag(needsProcess: true) { return }
            if self.scanner.takeWord() != nil, self.takeTag(needsProcess: true) {
                self.indentsMessages = true
                return
            }
            self.scanner = line
            self.setOrigin(Self.kernel, mark: Self.kernel)
        }
    }

    private static var kernel: ByteView { ByteView("kernel") }

    /// `[pod/web-7f86/app] ` of `kubectl logs --prefix`, and the time behind it with `--timestamps`.
    private mutating func takePod() -> Bool {
        let line = self.scanner
        guard line.rest.first == UInt8(ascii: "["), self.scanner.accept("[pod/") else { return false }
        let pod = self.scanner.rest.prefix(512).prefix { $0 > 0x20 && $0 != UInt8(ascii: "]") }
        self.scanner.accept(to: pod.endIndex)
        guard pod.contains(UInt8(ascii: "/")), self.scanner.accept(UInt8(ascii: "]")) else {
            self.scanner = line
            return false
        }
        _ = self.scanner.accept(0x20)
        _ = self.scanner.takeInternetTime()
        self.setOrigin(pod.lastPathComponent, mark: pod)
        return true
    }
}
