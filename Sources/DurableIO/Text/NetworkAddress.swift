import Glibc

/// An IPv4 or IPv6 address in its numeric form.
package struct NetworkAddress: Hashable, Sendable {
    /// 4 or 16, in network order.
    private let bytes: [UInt8]

    /// Reads dotted or colon-separated digits (`inet_pton`); `nil` for anything else, names above all.
    package init?(_ text: Substring) {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, String(text), &bytes) == 1 {
            self.bytes = Array(bytes.prefix(4))
        } else if inet_pton(AF_INET6, String(text), &bytes) == 1 {
            self.bytes = bytes
        } else {
            return nil
        }
    }

    /// Whether the first `bits` bits are those of a network of the same family.
    package func isIn(_ network: NetworkAddress, bits: Int) -> Bool {
        guard bytes.count == network.bytes.count, (0...bytes.count * 8).contains(bits) else { return false }
        let (whole, rest) = bits.quotientAndRemainder(dividingBy: 8)
        guard bytes.prefix(whole) == network.bytes.prefix(whole) else { return false }
        guard rest > 0 else { return true }
        let mask = ~UInt8(0) << UInt8(8 - rest)
        return bytes[whole] & mask == network.bytes[whole] & mask
    }
}
