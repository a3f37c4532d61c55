package import Diagnosis

/// A route of a configuration file, and where it stands there.
package struct RouteSetting: Sendable {
    package let route: Route
    /// Formats that this version does not know, and where they stand.
    package let strangeFormats: [(name: String, source: SettingSource)]
    package let source: SettingSource
}

extension Route {
    /// Whether it has no conditions.
    var matchesAll: Bool { kinds.isEmpty && formats.isEmpty && annotations.isEmpty }

    /// The route in words, as `kind crash or hang, service=shop: to dumps`.
    package var words: String {
        var conditions: [String] = []
        func add(_ name: String, _ values: [String]) {
            guard !values.isEmpty else { return }
            conditions.append(name + values.joined(separator: " or "))
        }
        add("kind ", kinds.map(\.rawValue))
        add("format ", formats)
        for key in annotations.keys.sorted() { add("\(key)=", annotations[key] ?? []) }
        let words = conditions.isEmpty ? "all" : conditions.joined(separator: ", ")
        return switch outcome {
        case .to(let name): "\(words): to \(name)"
        case .hold: "\(words): hold"
        }
    }

    /// The route as a configuration file has it, with lists for all texts.
    package var json: JSONObject {
        func list(_ values: [String]) -> JSONValue { .array(values.map { .string($0) }) }
        var object = JSONObject()
        if !kinds.isEmpty { object["kinds"] = list(kinds.map(\.rawValue)) }
        if !formats.isEmpty { object["formats"] = list(formats) }
        if !annotations.isEmpty {
            var members = JSONObject()
            for key in annotations.keys.sorted() { members[key] = list(annotations[key] ?? []) }
            object["annotations"] = .object(members)
        }
        switch outcome {
        case .to(let name): object["to"] = .string(name)
        case .hold: object["hold"] = .bool(true)
        }
        return object
    }
}
