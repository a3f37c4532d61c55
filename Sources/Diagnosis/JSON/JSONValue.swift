/// A JSON value, in memory.
///
/// Small on purpose: no reflection, no Foundation. Objects keep the order they were written in, and integers stay
/// integers. Two objects are equal when they have the same members in the same order.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// The members of a JSON object, in order; a key occurs once.
package struct JSONObject: Sendable, Hashable {
    /// One key and its value.
    package struct Member: Sendable, Hashable {
        package var key: String
        package var value: JSONValue

        package init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// All members, in the order they were added.
    package private(set) var members: [Member]

    /// An object without members.
    package init() {
        self.members = []
    }

    /// An object of the given members, in their order; where a key occurs again, the first one stays.
    package init(_ members: [Member]) {
        self.members = Self.keepingFirst(of: members)
    }

    /// The value of a key. Setting a new key appends it, setting `nil` removes the member.
    package subscript(key: String) -> JSONValue? {
        get {
            // By its index: a member that is passed on is copied.
            self.members.firstIndex { $0.key == key }.map { self.members[$0].value }
        }
        set {
            let index = self.members.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): self.members[index].value = value
            case (let index?, nil): self.members.remove(at: index)
            case (nil, let value?): self.members.append(Member(key: key, value: value))
            case (nil, nil): break
            }
        }
    }

    private static func keepingFirst(of members: [Member]) -> [Member] {
        // Nearly all objects are small; comparing pairs is then quicker than hashing each key.
        guard members.count > 12 else {
            for index in members.indices.dropFirst()
            where members[..<index].contains(where: { $0.key == members[index].key }) {
                return self.removingRepeats(from: members)
            }
            return members
        }
        return self.removingRepeats(from: members)
    }

    private static func removingRepeats(from members: [Member]) -> [Member] {
        var seen: Set<String> = []
        seen.reserveCapacity(members.count)
        guard members.contains(where: { !seen.insert($0.key).inserted }) else { return members }
        seen.removeAll(keepingCapacity: true)
        return members.filter { seen.insert($0.key).inserted }
    }
}

// MARK: - Reading

extension JSONValue {
    /// The text, if this is a string.
    package var stringValue: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    /// The number, if this is an integer that fits 64 bits.
    package var integerValue: Int64? {
        guard case .integer(let value) = self else { return nil }
        return value
    }

    /// The truth value, if this is one.
    package var boolValue: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The elements, if this is an array.
    package var arrayValue: [JSONValue]? {
        guard case .array(let value) = self else { return nil }
        return value
    }

    /// The members, if this is an object.
    package var objectValue: JSONObject? {
        guard case .object(let value) = self else { return nil }
        return value
    }

    /// The value of a key, if this is an object that has it.
    package subscript(key: String) -> JSONValue? {
        self.objectValue?[key]
    }

    /// The element at a position, if this is an array that reaches so far.
    package subscript(index: Int) -> JSONValue? {
        guard let elements = self.arrayValue, elements.indices.contains(index) else { return nil }
        return elements[index]
    }
}

// MARK: - Making

extension JSONValue {
    /// The string, or `null` when there is none.
    package init(_ value: String?) {
        self = value.map(JSONValue.string) ?? .null
    }

    /// The truth value, or `null` when there is none.
    package init(_ value: Bool?) {
        self = value.map(JSONValue.bool) ?? .null
    }

    /// The number, or `null` when there is none; what exceeds 64 signed bits becomes a double.
    package init(_ value: (some BinaryInteger)?) {
        guard let value else {
            self = .null
            return
        }
        self = Int64(exactly: value).map(JSONValue.integer) ?? .double(Double(value))
    }
}
