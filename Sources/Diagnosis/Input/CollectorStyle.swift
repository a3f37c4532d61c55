/// What a few dozen lines of a text tell about the collector that wrote before them.
///
/// A line alone does not tell a service's name and a bar from a row of a table, or a syslog tag without a number from a
/// program's own word. Many lines do.
struct CollectorStyle {
    /// The host that stands behind nearly all syslog times; `nil` if there is none.
    private(set) var host: [UInt8]?
    /// Whether nearly all lines begin with one of a few names and a bar.
    private(set) var namesEachLine = false
    /// Whether nearly all lines begin with a job and its step.
    private(set) var hasJobs = false

    /// How many lines are looked at, of how many bytes.
    private static let sampleLineCount = 64
    private static let sampleByteCount = 16 << 10

    init() {}

    init(of text: ByteView) {
        let sample = text.prefix(Self.sampleByteCount)
        let hasTabs = sample.contains(0x09)
        var rest = sample
        var lineCount = 0
        var jobCount = 0
        var (names, hosts) = (Tally(), Tally())
        while let line = rest.takeLine() {
            // What a terminal shows of the collector itself has no name before it.
            guard let first = line.first else { continue }
            lineCount += 1
            guard lineCount <= Self.sampleLineCount else { break }
            var scanner = LineScanner(line)
            if first.isLetter || first.isDigit, let name = scanner.takeServiceName() {
                names.count(name)
            } else if hasTabs, scanner.takeJobAndStep(), scanner.takeInternetTime() {
                jobCount += 1
            } else if LinePrefix.mayBegin(line), let host = Self.host(in: line) {
                hosts.count(host)
            }
        }
        self.namesEachLine =
            names.total > 1 && names.total * 4 >= lineCount * 3 && names.distinct * 2 <= names.total
        self.hasJobs = jobCount > 1 && jobCount * 4 >= lineCount * 3
        if let most = hosts.most, most.count >= 2, most.count * 4 >= hosts.total * 3 { self.host = Array(most.word) }
    }

    /// The word behind a syslog time and before a tag: `Nov 28 08:21:40 HOST TAG: `.
    private static func host(in line: ByteView) -> ByteView? {
        guard let first = line.first, first.isDigit || first.isLetter || first == UInt8(ascii: "<") else { return nil }
        var scanner = LineScanner(line)
        if scanner.accept(UInt8(ascii: "<")) {
            guard scanner.takeDigits(1...3), scanner.accept(UInt8(ascii: ">")) else { return nil }
        }
        guard scanner.takeSyslogTime() || scanner.takeInternetTime() || scanner.takeFullTime(),
            let host = scanner.takeWord(), let tag = scanner.rest.first, tag > 0x20, Self.isHostName(host)
        else { return nil }
        return host
    }

    /// Levels such as `ERROR` and words such as `Error:` are none.
    private static func isHostName(_ word: ByteView) -> Bool {
        var hasSmall = false
        for byte in word {
            guard byte.isLetter || byte.isDigit || "-_.:".utf8.contains(byte) else { return false }
            hasSmall = hasSmall || !byte.isLetter || byte & 0x20 != 0
        }
        return hasSmall && word.last != UInt8(ascii: ":")
    }

    /// How often each of a few words occurs.
    private struct Tally {
        private var words: [(word: ByteView, count: Int)] = []
        private(set) var total = 0

        var distinct: Int { self.words.count }

        var most: (word: ByteView, count: Int)? { self.words.max { $0.count < $1.count } }

        mutating func count(_ word: ByteView) {
            self.total += 1
            if let known = self.words.firstIndex(where: { $0.word.elementsEqual(word) }) {
                self.words[known].count += 1
            } else {
                self.words.append((word, 1))
            }
        }
    }
}
