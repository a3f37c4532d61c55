/// Attributes of a record or a resource, in their order. No key is empty or there twice, as OpenTelemetry demands.
struct OTLPAttributes: Sendable {
    enum Value: Hashable, Sendable {
        case text(String)
        case number(Int64)
        case truth(Bool)
    }

    private(set) var items: [(key: String, value: Value)] = []

    init() {}

    /// Adds an attribute. A value that is not known, or empty, and a key that is there already are left out.
    mutating func add(_ key: String, _ text: String?) {
        guard let text, !text.isEmpty else { return }
        add(key, .text(text))
    }

    mutating func add(_ key: String, _ number: Int64?) {
        guard let number else { return }
        add(key, .number(number))
    }

    /// Adds an attribute with any value, also an empty text.
    mutating func add(_ key: String, _ value: Value) {
        guard !key.isEmpty, !items.contains(where: { $0.key == key }) else { return }
        items.append((key, value))
    }

    /// Writes the attributes as fields of that number.
    func write(as field: Int, to writer: inout ProtobufWriter) {
        for (key, value) in items {
            writer.write(field) { pair in
                pair.write(1, text: key)
                pair.write(2) { $0.write(value) }
            }
        }
    }
}

extension ProtobufWriter {
    /// Writes the fields of an `AnyValue`. One of them says what kind of value it is, so that it is written also where
    /// it has its default.
    mutating func write(_ value: OTLPAttributes.Value) {
        switch value {
        case .text(let text): write(1, text: text)
        case .truth(let truth): write(2, varint: truth ? 1 : 0)
        case .number(let number): write(3, varint: UInt64(bitPattern: number))
        }
    }
}
