import Diagnosis
import DurableIO

/// The destinations of a configuration file, in its order, and the routes between them.
struct GivenRouting {
    /// One at least.
    let destinations: [GivenDestination]
    let routes: [RouteSetting]
}

/// A destination as a configuration file gives it.
struct GivenDestination {
    let name: String
    /// The values of its own; the endpoint is one of them.
    var entries: [Setting: SettingEntry] = [:]
    var headers: [HeaderSetting] = []
}

/// The members `destinations` and `routes`.
extension LeafReader {
    private static let example = #"{"endpoint": "https://…"}"#

    /// Reads the destinations and the routes between them, which may be missing.
    func routing(_ destinations: JSONValue, routes: JSONValue?) throws(ReportsError) -> GivenRouting {
        let keys = ["destinations"]
        let example = #"as {"dumps": \#(Self.example)}"#
        guard let object = destinations.objectValue else {
            throw problem(
                keys, "expected an object of names and destinations, \(example), found \(Self.found(destinations))")
        }
        guard !object.members.isEmpty else { throw problem(keys, "expected one destination at least, \(example)") }
        let given = try object.members.map { (member) throws(ReportsError) in try destination(member) }
        let names = given.map(\.name)
        let read = try routes.map { (routes) throws(ReportsError) in try self.routes(routes, among: names) }
        return GivenRouting(destinations: given, routes: read ?? [])
    }

    private func destination(_ member: JSONObject.Member) throws(ReportsError) -> GivenDestination {
        let keys = ["destinations", member.key]
        guard Routing.isName(member.key) else {
            throw nameProblem(keys, Routing.nameProblem(Printable.text(member.key)))
        }
        guard let object = member.value.objectValue else {
            throw problem(keys, "expected an object, as \(Self.example), found \(Self.found(member.value))")
        }
        var given = GivenDestination(name: member.key)
        for member in object.members {
            let keys = keys + [member.key]
            if member.key == "headers" {
                given.headers = try headers(member.value, at: keys)
            } else if let setting = Setting(rawValue: member.key), setting.scope == .destination {
                given.entries[setting] = try entry(member.value, of: setting, at: keys)
            } else {
                throw unknownInDestination(keys, member.key)
            }
        }
        guard given.entries[.endpoint] != nil else {
            throw problem(keys, "has no endpoint: say where its reports go, as \"endpoint\": \"https://…\"")
        }
        return given
    }

    private func unknownInDestination(_ keys: [String], _ name: String) -> ReportsError {
        let others = ["annotations", "destinations", "routes"]
        if Setting(rawValue: name) != nil || others.contains(name) {
            return nameProblem(keys, "\(name) is no setting of a destination: write it beside destinations")
        }
        let known = ["headers"] + Setting.allCases.filter { $0.scope == .destination }.map(\.rawValue)
        return unknownMember(keys, among: known, otherwise: "expected one of \(known.joined(separator: ", "))")
    }

    /// What stands where no object can stand.
    static func found(_ value: JSONValue) -> String { value.objectValue == nil ? word(for: value) : "an object" }
}
