/// A number of bytes as people read it.
package enum ByteSize {
    /// Reads `1048576`, `1 MiB` or `0.5GiB`.
    /// - Returns: `nil` for anything else, and for what has no 64 bits.
    package static func count(_ text: String) -> UInt64? {
        if let count = UInt64(text) { return count }
        let units = [("KiB", 0x1p10), ("MiB", 0x1p20), ("GiB", 0x1p30), ("TiB", 0x1p40)]
        guard let unit = units.first(where: { text.hasSuffix($0.0) }),
            let number = Double(text.dropLast(unit.0.count).filter { $0 != " " }), number >= 0, number < 0x1p20
        else { return nil }
        return UInt64(number * unit.1)
    }

    /// The number in the largest unit that keeps a digit before the point, for example `41.2 MiB`.
    package static func text(_ bytes: UInt64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 1_024, unit < units.count - 1 {
            value /= 1_024
            unit += 1
        }
        if unit == 0 { return "\(bytes) B" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
