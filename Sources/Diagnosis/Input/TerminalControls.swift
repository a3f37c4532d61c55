/// The sequences by which programs steer a terminal: colours, titles, links, movements (ECMA-48).
enum TerminalControls {
    private static let escape: UInt8 = 0x1b

    /// The text without such sequences.
    static func removed(from bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard bytes.withView({ $0.contains(self.escape) }) else { return bytes }
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        var rest = bytes
        while let escape = rest.firstIndex(of: self.escape) {
            plain.append(contentsOf: rest[..<escape])
            rest = self.behindSequence(rest[(escape + 1)...])
        }
        plain.append(contentsOf: rest)
        return plain[...]
    }

    /// What follows a sequence whose first character, ESC, is taken already. A sequence that is cut or damaged is left,
    /// but for its ESC; none goes beyond its line.
    private static func behindSequence(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        switch bytes.first {
        case UInt8(ascii: "["):
            let end = bytes.dropFirst().drop { (0x20..<0x40).contains($0) }
            guard let last = end.first, (0x40...0x7e).contains(last) else { return bytes }
            return end.dropFirst()
        case UInt8(ascii: "]"):
            // Up to BEL, or up to ESC and a backslash.
            let end = bytes.drop { $0 != 0x07 && $0 != self.escape && $0 != 0x0a }
            if end.first == 0x07 { return end.dropFirst() }
            return end.first == self.escape && end.dropFirst().first == UInt8(ascii: "\\") ? end.dropFirst(2) : bytes
        case UInt8(ascii: "("), UInt8(ascii: ")"):
            return bytes.dropFirst(2)
        case .some(0x37...0x5f):
            return bytes.dropFirst()
        default:
            return bytes
        }
    }
}
