import Diagnosis
import DurableIO

/// The member `routes`.
extension LeafReader {
    private static let routeMembers = ["kinds", "formats", "annotations", "to", "hold"]
    private static let routeExample = #"{"kinds": ["crash"], "to": "dumps"}"#

    /// Reads the routes, each of which has to lead to a destination of that name.
    func routes(_ value: JSONValue, among names: [String]) throws(ReportsError) -> [RouteSetting] {
        guard let list = value.arrayValue else {
            throw problem(
                ["routes"], "expected a list of routes, as [\(Self.routeExample)], found \(Self.found(value))")
        }
        var routes: [RouteSetting] = []
        for (index, value) in list.enumerated() {
            routes.append(try route(value, ["routes", JSONPlaces.name(ofElement: index)], among: names))
        }
        return routes
    }

    private func route(
        _ value: JSONValue, _ keys: [String], among names: [String]
    ) throws(ReportsError) -> RouteSetting {
        guard let object = value.objectValue else {
            throw problem(keys, "expected an object, as \(Self.routeExample), found \(Self.found(value))")
        }
        for member in object.members where !Self.routeMembers.contains(member.key) {
            throw unknownMember(
                keys + [member.key], among: Self.routeMembers,
                otherwise: "expected one of \(Self.routeMembers.joined(separator: ", "))")
        }
        let outcome = try outcome(object, keys, among: names)
        let kinds = try texts(object, keys, "kinds", as: "a kind").map { (given) throws(ReportsError) in
            try kind(given.text, given.keys)
        }
        let formats = try texts(object, keys, "formats", as: "a format")
        for (format, keys) in formats { try checkFormat(format, keys) }
        return RouteSetting(
            route: Route(
                outcome, kinds: kinds, formats: formats.map(\.text), annotations: try conditions(object, keys)),
            strangeFormats: formats.filter { !Self.isKnown($0.text) }.map { ($0.text, source($0.keys)) },
            source: source(keys))
    }

    // MARK: - Where a report goes

    private func outcome(
        _ object: JSONObject, _ keys: [String], among names: [String]
    ) throws(ReportsError) -> Route.Outcome {
        switch (object["to"], object["hold"]) {
        case (nil, nil): throw problem(keys, #"expected "to": NAME or "hold": true, found neither"#)
        case (_?, _?): throw problem(keys, "has both to and hold: leave one of them")
        case (nil, let hold?):
            guard hold == .bool(true) else {
                throw problem(
                    keys + ["hold"], "expected true, found \(Self.found(hold)): to send them, name a destination in to")
            }
            return .hold
        case (let to?, nil):
            let keys = keys + ["to"]
            guard let name = to.stringValue else {
                throw problem(keys, "expected the name of a destination, found \(Self.found(to))")
            }
            guard names.contains(name) else {
                let words =
                    NearestName.of(name, among: names).map { "did you mean \($0)?" }
                    ?? "there is \(names.joined(separator: ", "))"
                throw problem(keys, "there is no destination \"\(Printable.text(name))\": \(words)")
            }
            return .to(name)
        }
    }

    // MARK: - Which reports

    private typealias Written = (text: String, keys: [String])

    /// A member that is a text or a list of texts; empty when there is no such member.
    private func texts(
        _ object: JSONObject, _ keys: [String], _ name: String, as what: String
    ) throws(ReportsError) -> [Written] {
        guard let value = object[name] else { return [] }
        let keys = keys + [name]
        guard let list = value.arrayValue else {
            return [(try text(value, keys, expecting: "\(what) or a list of them"), keys)]
        }
        guard !list.isEmpty else { throw problem(keys, "expected \(what) at least: leave \(name) out for any") }
        var texts: [Written] = []
        for (index, value) in list.enumerated() {
            let keys = keys + [JSONPlaces.name(ofElement: index)]
            texts.append((try text(value, keys, expecting: what), keys))
        }
        return texts
    }

    /// A text, or a whole number, whose digits are what was written.
    private func text(
        _ value: JSONValue, _ keys: [String], expecting what: String
    ) throws(ReportsError) -> String {
        switch value {
        case .string(let text): return text
        case .integer(let number): return "\(number)"
        case .double:
            throw problem(keys, Self.fractionProblem)
        default:
            throw problem(keys, "expected \(what), found \(Self.found(value))")
        }
    }

    private func kind(_ word: String, _ keys: [String]) throws(ReportsError) -> ReportKind {
        if let kind = ReportKind(rawValue: word) { return kind }
        let known = ReportKind.all.map(\.rawValue)
        let words =
            NearestName.of(word, among: known).map { "did you mean \($0)?" }
            ?? "kinds are \(known.joined(separator: ", "))"
        throw problem(keys, "there is no kind \"\(Printable.text(word))\": \(words)")
    }

    /// Refuses what looks like a slip. Another name may be a format of a later version, for which the file is written,
    /// too.
    private func checkFormat(_ name: String, _ keys: [String]) throws(ReportsError) {
        guard !Self.isKnown(name), let meant = NearestName.of(name, among: Diagnosis.formatNames) else { return }
        throw problem(keys, "there is no format \"\(Printable.text(name))\": did you mean \(meant)?")
    }

    private static func isKnown(_ format: String) -> Bool {
        Diagnosis.formatNames.contains(format.replacing(" (damaged)", with: ""))
    }

    private func conditions(
        _ object: JSONObject, _ keys: [String]
    ) throws(ReportsError) -> [String: [String]] {
        guard let value = object["annotations"] else { return [:] }
        let keys = keys + ["annotations"]
        guard let object = value.objectValue, !object.members.isEmpty else {
            throw problem(
                keys, #"expected an object of keys and values, as {"service": "shop"}, found \#(Self.found(value))"#)
        }
        var conditions: [String: [String]] = [:]
        for member in object.members {
            guard Annotations.isKey(member.key) else {
                throw nameProblem(keys + [member.key], Annotations.keyProblem(member.key))
            }
            let values = try texts(object, keys, member.key, as: "a value")
            for (text, keys) in values {
                if let problem = AnnotationRules.problem(of: text) { throw self.problem(keys, problem) }
            }
            conditions[member.key] = values.map(\.text)
        }
        return conditions
    }
}
