/// Finds the lines with marks of all formats in one pass.
///
/// The table is flat, so that a line costs a few look-ups and no counting of owners.
struct MarkTable: Sendable {
    /// A mark of a format: a range of ``bytes``.
    private struct Entry: Sendable {
        let format: Int
        let bytes: Range<Int>
    }

    static let shared = MarkTable()

    /// The bytes of all marks, one behind the other.
    private var bytes: [UInt8] = []
    /// What lines begin with, and which of it begins with each byte.
    private var beginnings: [Entry] = []
    private var beginningsByByte: [Range<Int>] = []
    /// What is within lines, and which of it begins with each byte.
    private var inner: [Entry] = []
    private var innerByByte: [Range<Int>] = []
    /// Of each byte which of ``LineMark/innerBeginnings`` it is, as one of the lower four bits; and as the upper four
    /// behind which of them it stands in a mark.
    private var roles = [UInt8](repeating: 0, count: 256)

    private init() {
        var (beginnings, inner): ([(Int, [UInt8])], [(Int, [UInt8])]) = ([], [])
        for (index, format) in TextFormats.all.enumerated() {
            for mark in format.marks {
                switch mark {
                case .beginning(let text): beginnings.append((index, Array(text.utf8)))
                case .containing(let text): inner.append((index, Array(text.utf8)))
                }
            }
        }
        (self.beginnings, self.beginningsByByte) = self.grouping(beginnings)
        (self.inner, self.innerByByte) = self.grouping(inner)
        for (bit, first) in LineMark.innerBeginnings.utf8.enumerated() {
            self.roles[Int(first)] |= 1 << UInt8(bit)
            for (_, mark) in inner where mark[0] == first { self.roles[Int(mark[1])] |= 0x10 << UInt8(bit) }
        }
    }

    /// Groups marks by their first bytes, and keeps the order of those that have the same.
    private mutating func grouping(_ marks: [(format: Int, mark: [UInt8])]) -> ([Entry], byByte: [Range<Int>]) {
        var entries: [Entry] = []
        var byByte: [Range<Int>] = []
        for byte in UInt8.min...UInt8.max {
            let start = entries.count
            for (format, mark) in marks where mark[0] == byte {
                entries.append(Entry(format: format, bytes: self.bytes.count..<self.bytes.count + mark.count))
                self.bytes += mark
            }
            byByte.append(start..<entries.count)
        }
        return (entries, byByte)
    }

    /// The formats with marks in the text, in the order of the list, each with the indices of its lines.
    func places(in text: CapturedText) -> [(format: Int, places: [Int])] {
        var places = [[Int]](repeating: [], count: TextFormats.all.count)
        self.bytes[...].withView { marks in
            for (index, line) in text.lines.enumerated() {
                line.withView { line in
                    self.visit(marks, in: line) { format in
                        if places[format].last != index { places[format].append(index) }
                    }
                }
            }
        }
        return places.enumerated().compactMap { $0.element.isEmpty ? nil : (format: $0.offset, places: $0.element) }
    }

    /// Names the format of each mark in a line.
    private func visit(_ marks: ByteView, in line: ByteView, _ body: (Int) -> Void) {
        guard let first = line.first else { return }
        for index in self.beginningsByByte[Int(first)] {
            let entry = self.beginnings[index]
            if line.starts(with: marks[entry.bytes]) { body(entry.format) }
        }
        var rest = line
        while let start = self.indexOfPair(in: rest) {
            rest = rest[start...]
            for index in self.innerByByte[Int(rest[start])] {
                let entry = self.inner[index]
                if rest.starts(with: marks[entry.bytes]) { body(entry.format) }
            }
            rest = rest.dropFirst()
        }
    }

    /// Where two bytes stand with which some mark begins.
    @inline(never)
    private func indexOfPair(in bytes: ByteView) -> Int? {
        self.roles[...].withView { roles in
            var before: UInt8 = 0
            for index in bytes.indices {
                let role = roles[Int(bytes[index])]
                if before & role >> 4 != 0 { return index - 1 }
                before = role
            }
            return nil
        }
    }
}
