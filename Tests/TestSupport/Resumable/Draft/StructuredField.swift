import Foundation

/// The few structured fields (RFC 9651) that resumable uploads need, read from a message; parameters are ignored.
extension HeaderFields {
    /// The Boolean of an item such as `?1`; `nil` if the field is absent, repeated or anything else.
    func boolean(_ name: String) -> Bool? {
        switch item(name) {
        case "?0": false
        case "?1": true
        default: nil
        }
    }

    /// The integer of an item that is not negative; `nil` if the field is absent, repeated or anything else.
    func integer(_ name: String) -> Int? {
        guard let text = item(name), !text.isEmpty, text.count <= 15, text.allSatisfy({ $0.isASCII && $0.isNumber })
        else { return nil }
        return Int(text)
    }

    /// The byte sequence of a dictionary's member, for instance of `sha-256` in `Repr-Digest`; `nil` if there is none.
    func byteSequence(_ key: String, in name: String) -> [UInt8]? {
        for member in values(name).joined(separator: ",").split(separator: ",") {
            let parts = trimmed(member).split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0] == key else { continue }
            let value = parts[1].prefix { $0 != ";" }
            guard value.count >= 2, value.first == ":", value.last == ":" else { return nil }
            return Data(base64Encoded: String(value.dropFirst().dropLast())).map(Array.init)
        }
        return nil
    }

    private func item(_ name: String) -> String? {
        let lines = values(name)
        guard lines.count == 1 else { return nil }
        return lines.first.map { trimmed($0.prefix { $0 != ";" }) }
    }
}
