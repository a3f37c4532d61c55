import DurableIO

/// The hosts that are reached without a proxy, as curl reads `no_proxy`.
///
/// Entries are separated by commas or spaces. `*` alone is every host. A name stands for itself and for all names
/// below it, with or without a dot in front. An address stands for itself; with a slash and a number of bits, for its
/// network. Ports cannot be told apart.
struct ProxyExceptions {
    private let entries: [Substring]

    init(_ text: String?) {
        entries = (text ?? "").split { $0 == "," || $0 == " " || $0 == "\t" }
    }

    /// Of a URL, an IPv6 address in brackets.
    func contain(_ host: String) -> Bool {
        if entries.count == 1, entries[0] == "*" { return true }
        let bare = Self.bare(Substring(host))
        if let address = NetworkAddress(bare) {
            return entries.contains { Self.isNetwork($0, of: address) }
        }
        let name = Self.trimmed(bare)
        return entries.contains { entry in
            let suffix = Self.trimmed(entry.drop { $0 == "." }).lowercased()
            return !suffix.isEmpty && (name == suffix || name.hasSuffix("." + suffix))
        }
    }

    private static func isNetwork(_ entry: Substring, of address: NetworkAddress) -> Bool {
        let parts = bare(entry).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let network = parts.first.flatMap({ NetworkAddress(Self.bare($0)) }) else { return false }
        guard parts.count == 2 else { return network == address }
        guard let bits = Int(parts[1]), bits >= 0 else { return false }
        return address.isIn(network, bits: bits)
    }

    private static func bare(_ host: Substring) -> Substring {
        host.hasPrefix("[") && host.hasSuffix("]") ? host.dropFirst().dropLast() : host
    }

    /// A dot at the end makes a name absolute, and no other name.
    private static func trimmed(_ name: Substring) -> Substring {
        name.last == "." ? name.dropLast() : name
    }
}
