import Diagnosis
import DurableIO

/// What runs the program: a unit of the service manager, a container.
struct Surroundings: Hashable, Sendable {
    var unit: String?
    /// The service manager's name for this run of the unit.
    var invocationID: String?
    /// The container's id, or what kind of container it is.
    var container: String?

    init() {}

    /// Of this process.
    /// - Parameters:
    ///   - variable: gives the variables of the environment.
    ///   - cgroup: `/proc/self/cgroup`, a line for each tree of control groups.
    init(_ variable: (String) -> String?, cgroup: String?) {
        let groups = (cgroup ?? "").split { $0 == "/" || $0 == "\n" }.map(String.init)
        unit = groups.last { $0.hasSuffix(".service") }
        invocationID = variable("INVOCATION_ID").map(Incident.value)
        container = groups.lazy.compactMap(Self.containerID).first ?? variable("container").map(Incident.value)
    }

    init(_ json: JSONValue?) {
        unit = json?["unit"]?.stringValue
        invocationID = json?["invocation_id"]?.stringValue
        container = json?["container"]?.stringValue
    }

    var json: JSONValue {
        var json = JSONObject()
        json["unit"] = unit.map { .string($0) }
        json["invocation_id"] = invocationID.map { .string($0) }
        json["container"] = container.map { .string($0) }
        return .object(json)
    }

    /// `docker-<id>.scope`, `cri-containerd-<id>.scope`, `libpod-<id>`, or the id alone: 64 hexadecimal digits.
    private static func containerID(_ group: String) -> String? {
        let name = group.hasSuffix(".scope") ? String(group.dropLast(6)) : group
        let id = name.split(separator: "-").last.map(String.init) ?? name
        return id.utf8.count == 64 && id.utf8.allSatisfy(\.isLowerHexDigit) ? id : nil
    }
}
