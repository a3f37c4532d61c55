extension [String] {
    /// The same as `joined(separator:)`, which first looks up what kind of collection it joins: a program's start waits
    /// for that.
    func concatenated(by separator: String) -> String {
        var text = first ?? ""
        for part in dropFirst() {
            text += separator
            text += part
        }
        return text
    }
}

/// The variables of an environment, `NAME=VALUE`, in their order.
struct VariableList {
    private(set) var entries: [String]

    init(_ entries: [String]) {
        self.entries = entries
    }

    /// The value of a variable; the first one counts where a name occurs several times, as for `getenv`.
    subscript(name: String) -> String? {
        entries.first { Self.isOf(name, $0) }.map { String(Substring($0.utf8.dropFirst(name.utf8.count + 1))) }
    }

    /// Gives a variable a value, and removes others of that name.
    mutating func set(_ name: String, _ value: String) {
        guard let index = entries.firstIndex(where: { Self.isOf(name, $0) }) else {
            entries.append("\(name)=\(value)")
            return
        }
        entries[index] = "\(name)=\(value)"
        let rest = entries[(index + 1)...].filter { !Self.isOf(name, $0) }
        entries.replaceSubrange((index + 1)..., with: rest)
    }

    private static func isOf(_ name: String, _ entry: String) -> Bool {
        // Nearly all are another one, and a program's start waits for this.
        guard entry.utf8.first == name.utf8.first, entry.utf8.starts(with: name.utf8) else { return false }
        return entry.utf8.dropFirst(name.utf8.count).first == UInt8(ascii: "=")
    }
}
