/// Finds the lines with marks of all formats in one pass.
struct MarkTable: Sendable {
    private struct Entry: Sendable {
        let format: Int
        let bytes: [UInt8]
    }

    static let shared = MarkTable()

    /// By the first byte of a line.
    private var beginnings = [[Entry]](repeating: [], count: 256)
    /// By the first byte of what is within a line.
    private var inner = [[Entry]](repeating: [], count: 256)
    private var mayBeInner = [Bool](repeating: false, count: 256)

    private init() {
        for (index, format) in TextFormats.all.enumerated() {
            for mark in format.marks {
                switch mark {
                case .beginning(let text):
                    let bytes = Array(text.utf8)
                    self.beginnings[Int(bytes[0])].append(Entry(format: index, bytes: bytes))
                case .containing(let text):
                    let bytes = Array(text.utf8)
                    self.inner[Int(bytes[0])].append(Entry(format: index, bytes: bytes))
                    self.mayBeInner[Int(bytes[0])] = true
                }
            }
        }
    }

    /// The formats with marks in the text, in the order of the list, each with the indices of its lines.
    func places(in text: CapturedText) -> [(format: Int, places: [Int])] {
        var places = [[Int]](repeating: [], count: TextFormats.all.count)
        for (index, line) in text.lines.enumerated() {
            guard let first = line.first else { continue }
            for entry in self.beginnings[Int(first)] where line.starts(with: entry.bytes) {
                Self.note(index, in: &places[entry.format])
            }
            line.withUnsafeBufferPointer { line in
                for offset in line.indices where self.mayBeInner[Int(line[offset])] {
                    for entry in self.inner[Int(line[offset])] where line[offset...].starts(with: entry.bytes) {
                        Self.note(index, in: &places[entry.format])
                    }
                }
            }
        }
        return places.enumerated().compactMap { $0.element.isEmpty ? nil : (format: $0.offset, places: $0.element) }
    }

    private static func note(_ line: Int, in places: inout [Int]) {
        if places.last != line { places.append(line) }
    }
}
