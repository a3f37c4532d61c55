package import DurableIO
package import HTTPTypes
import RawStructuredFieldValues

/// The structured fields (RFC 9651) that are written here.
package enum StructuredField {
    /// The longest value that is read: 8 KiB. A dictionary of a thousand members is no server's, and costs time.
    package static let maximumByteCount = 8 << 10

    /// A string in quotes; `nil` for a text with anything but printable ASCII, which no string has.
    package static func string(_ text: String) -> String? {
        item(.string(text))
    }

    package static func boolean(_ value: Bool) -> String? {
        item(.bool(value))
    }

    /// The value of the digest fields, which are dictionaries of byte sequences (RFC 9530).
    package static func digest(_ hash: ContentHash) -> String? {
        member(sha256, .undecodedByteSequence(hash.base64))
    }

    /// A dictionary of texts, in the order of their keys as given. Keys are lower-cased, and `*` stands before one that
    /// begins with no letter, as the grammar of keys demands; texts beyond printable ASCII become display strings. A
    /// key with other characters than `a-z 0-9 _ - . *` has no form: its member is left out.
    package static func dictionary(_ texts: [String: String]) -> String {
        texts.sorted { $0.key < $1.key }.compactMap { key, text in
            let key = key.lowercased()
            let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
            return member(
                key.first?.isLetter == true ? key : "*" + key, isPlain ? .string(text) : .displayString(text))
        }.joined(separator: ", ")
    }

    fileprivate static let sha256 = "sha-256"

    private static func item(_ value: RFC9651BareItem) -> String? {
        var serializer = StructuredFieldValueSerializer()
        let bytes = try? serializer.writeItemFieldValue(Item(bareItem: value, parameters: [:]))
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func member(_ key: String, _ value: RFC9651BareItem) -> String? {
        var serializer = StructuredFieldValueSerializer()
        let bytes = try? serializer.writeDictionaryFieldValue([key: .item(Item(bareItem: value, parameters: [:]))])
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }
}

/// The structured fields that are read here. One that breaks the grammar anywhere, or is too long, is as none; so is an
/// item of another type. Parameters are passed over.
extension HTTPFields {
    package func boolean(of name: HTTPField.Name) -> Bool? {
        if case .bool(let value)? = item(name) { value } else { nil }
    }

    /// An integer that is not negative.
    package func wholeNumber(of name: HTTPField.Name) -> UInt64? {
        if case .integer(let value)? = item(name) { UInt64(exactly: value) } else { nil }
    }

    /// Those of the keys that a dictionary has, with integers that are not negative. Others of its members may be of
    /// any type.
    /// - Returns: `nil` when one of them is of another type, or there is no such field.
    package func wholeNumbers(of keys: [String], in name: HTTPField.Name) -> [String: UInt64]? {
        guard let dictionary = dictionary(name) else { return nil }
        var numbers: [String: UInt64] = [:]
        for key in keys {
            guard let member = dictionary[key] else { continue }
            guard case .item(let item) = member, case .integer(let value) = item.rfc9651BareItem,
                let number = UInt64(exactly: value)
            else { return nil }
            numbers[key] = number
        }
        return numbers
    }

    /// The SHA-256 of a digest field (RFC 9530).
    package func digest(of name: HTTPField.Name) -> ContentHash? {
        guard case .item(let item)? = dictionary(name)?[StructuredField.sha256],
            case .undecodedByteSequence(let text) = item.rfc9651BareItem
        else { return nil }
        return Base64.decode(text).flatMap { ContentHash(bytes: $0) }
    }

    private func item(_ name: HTTPField.Name) -> RFC9651BareItem? {
        parser(of: name).flatMap { parser in
            var parser = parser
            return try? parser.parseItemFieldValue().rfc9651BareItem
        }
    }

    private func dictionary(_ name: HTTPField.Name) -> OrderedMap<String, ItemOrInnerList>? {
        parser(of: name).flatMap { parser in
            var parser = parser
            return try? parser.parseDictionaryFieldValue()
        }
    }

    private func parser(of name: HTTPField.Name) -> StructuredFieldValueParser<[UInt8]>? {
        guard let text = self[name], text.utf8.count <= StructuredField.maximumByteCount else { return nil }
        return StructuredFieldValueParser(Array(text.utf8))
    }
}
