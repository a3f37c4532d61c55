/// What the formats may look at: the beginning of a payload, and the name it was dropped under.
struct PayloadHead: Sendable {
    /// The first bytes of the payload.
    let bytes: [UInt8]
    /// Whether these are all its bytes.
    let isWhole: Bool
    /// The dropped file's name.
    let name: ReportFileName
    /// The first line that is not blank, without the blanks around it; empty if there is none.
    let title: ArraySlice<UInt8>

    init(bytes: [UInt8], isWhole: Bool, name: ReportFileName) {
        self.bytes = bytes
        self.isWhole = isWhole
        self.name = name
        // Kept, since most of the texts are told by it.
        self.title = bytes.drop { $0 <= 0x20 }.prefix { $0 != UInt8(ascii: "\n") }.trimmed
    }

    /// The lines of the text.
    var lines: PayloadLines { PayloadLines(self.bytes[...]) }

    func hasPrefix(_ text: String) -> Bool {
        self.bytes.starts(with: text.utf8)
    }

    /// The same payload with other bytes: decoded or inflated ones.
    func replacing(bytes: [UInt8], isWhole: Bool, name: ReportFileName? = nil) -> PayloadHead {
        PayloadHead(bytes: bytes, isWhole: isWhole, name: name ?? self.name)
    }

    /// The number of things found so far, with a sign that there may be more behind the window.
    func counted(_ count: Int, _ singular: String, _ plural: String) -> String {
        "\(count)\(self.isWhole ? "" : "+") \(count == 1 && self.isWhole ? singular : plural)"
    }
}

/// The lines of a text, without their ends (LF or CR LF).
struct PayloadLines: Sequence, IteratorProtocol {
    /// The lines that are still to come.
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        self.rest = bytes
    }

    mutating func next() -> ArraySlice<UInt8>? {
        guard !self.rest.isEmpty else { return nil }
        let end = self.rest.firstIndex(of: UInt8(ascii: "\n"))
        var line = self.rest[..<(end ?? self.rest.endIndex)]
        self.rest = end.map { self.rest[($0 + 1)...] } ?? []
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return line
    }

    /// The fields `NAME: VALUE` among the lines: of each wanted name its first value, unless that is empty.
    func fields(_ names: Set<String>) -> [String: String] {
        var fields: [String: String] = [:]
        for line in self {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon - line.startIndex <= 64 else { continue }
            let name = String(decoding: line[..<colon], as: UTF8.self)
            guard names.contains(name), fields[name] == nil else { continue }
            fields[name] = line[(colon + 1)...].trimmed.text.nonEmpty
        }
        return fields
    }
}
