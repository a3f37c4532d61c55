/// The kernel's log as the firmware's persistent store keeps it: parts of a few kilobytes, the last one first.
///
/// Each begins with a line such as `Panic#1 Part1`. Where somebody has put several of them into one file, the parts are
/// brought into the order in which the kernel wrote their lines.
enum PersistentStore {
    private static let reasons = ["Panic#", "Oops#", "Emergency#", "Shutdown#", "Unknown#"]

    /// The parts in the order of their lines, without their titles; the text itself if it has no parts.
    static func inOrder(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard self.part(titled: text.prefix { $0 != 0x0a }) != nil else { return text }
        var parts: [(event: Int64, number: Int64, lines: ArraySlice<UInt8>)] = []
        var rest = text
        while !rest.isEmpty {
            let line = rest.prefix { $0 != 0x0a }
            let next = rest[line.endIndex...].dropFirst()
            if let title = self.part(titled: line) {
                parts.append((title.event, title.number, next.prefix(0)))
            } else if let last = parts.indices.last {
                let start = parts[last].lines.startIndex
                parts[last].lines = text[start..<next.startIndex]
            }
            rest = next
        }
        guard parts.count > 1 else { return parts.first?.lines ?? text }
        // The sort keeps the order of equal ones.
        let sorted = parts.sorted { ($0.event, $1.number) < ($1.event, $0.number) }
        return Array(sorted.map { $0.lines.last == 0x0a ? $0.lines : $0.lines + [0x0a] }.joined())[...]
    }

    private static func part(titled line: ArraySlice<UInt8>) -> (event: Int64, number: Int64)? {
        guard let reason = self.reasons.first(where: { line.starts(with: $0.utf8) }),
            let event = line.dropping(reason)?.leadingDigits, let number = line[event.endIndex...].dropping(" Part"),
            let eventNumber = event.decimalNumber, let partNumber = number.trimmed.decimalNumber
        else { return nil }
        return (eventNumber, partNumber)
    }
}
