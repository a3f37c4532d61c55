import Diagnosis
import DurableIO
import Reports

/// The settings in force, for people and scripts. Secrets are masked.
enum SettingsDescription {
    /// Those that are not the defaults.
    static func lines(_ settings: Result<Settings, any Error>) -> [String] {
        guard case .success(let settings) = settings else { return [] }
        var lines: [String] = []
        for file in settings.files { lines.append("settings:  \(file)") }
        for words in [settings.unreadFileWords, settings.unitFileWords].compactMap(\.self) {
            lines.append("settings:  \(words)")
        }
        if !settings.hasEndpoint { lines.append("endpoint:  none: \(Settings.endpointPlaces) may name one") }
        for one in settings.shown where one.source != .standard {
            lines.append("\(one.name):  \(one.value ?? "")  (\(source(of: one)))")
        }
        if let fileSystem = settings.fileSystemByteCount { lines.append(limits(settings.limits, on: fileSystem)) }
        for destination in settings.destinations {
            guard let route = destination.route, route.source != SettingSource.standard.description else { continue }
            let name = settings.routes == nil ? "route" : "route to \(destination.name)"
            lines.append("\(name):  \(route.text)  (\(route.source))")
        }
        return lines
    }

    /// The limits in force, their defaults among them, on a file system of that size.
    private static func limits(_ limits: SpoolLimits, on fileSystem: UInt64) -> String {
        let small = limits.floor(ofTotal: fileSystem, forReportOf: 0)
        let large = limits.floor(ofTotal: fileSystem, forReportOf: .max)
        let above = small == large ? "" : " (\(ByteSize.text(large)) for a report above 1 MiB)"
        var parts = [
            "\(ByteSize.text(limits.maximumReportByteCount)) a report",
            "\(ByteSize.text(limits.total(ofTotal: fileSystem))) in all", "\(limits.maximumCount) reports",
            "\(limits.maximumAge.components.seconds / 86_400) days", "\(ByteSize.text(small)) left free\(above)",
        ]
        if let limit = limits.maximumPerSignature { parts.append("\(limit) of one signature") }
        return "limits:  \(parts.joined(separator: ", "))"
    }

    /// Where reports go: the endpoint, or each of several by its destination's name.
    static func endpoints(_ settings: Settings) -> [String] {
        settings.shown.compactMap { one in
            guard let value = one.value else { return nil }
            if one.name == "endpoint" { return value }
            guard one.name.hasPrefix("destinations."), one.name.hasSuffix(".endpoint") else { return nil }
            return "\(one.name.dropFirst("destinations.".count).dropLast(".endpoint".count)) (\(value))"
        }
    }

    /// What looks like a slip in the environment or in the files.
    static func hints(_ settings: Settings) -> [String] {
        settings.strayVariables.map { "$\($0.name) is set, and no such setting exists: did you mean $\($0.meant)?" }
            + settings.withheldHeaders + settings.routingHints
    }

    /// The same, and what a person may wonder about who asks for the settings.
    static func notes(_ settings: Settings) -> [String] {
        hints(settings) + [settings.unreadFileWords, settings.unitFileWords].compactMap(\.self)
            + settings.missingFactWords
    }

    static func add(_ settings: Result<Settings, any Error>, to object: inout JSONObject) {
        switch settings {
        case .success(let settings):
            var members = JSONObject()
            for one in settings.shown { members[one.name] = json(one.value, one.source.description) }
            object["settings"] = .object(members)
            object["settings_problem"] = JSONValue(problem(settings))
            object["route"] = settings.routes == nil ? settings.main.route.map(json) ?? .null : .null
            var connections = JSONObject()
            for destination in settings.destinations { connections[destination.name] = destination.route.map(json) }
            object["connections"] = .object(connections)
        case .failure(let error):
            object["settings"] = .null
            object["settings_problem"] = .string((error as? ReportsError)?.message ?? "\(error)")
            object["route"] = .null
            object["connections"] = .null
        }
    }

    /// What the settings of the machine's spool lack, although each of them is valid. Those of another spool may lack
    /// an endpoint that a program or an option names.
    private static func problem(_ settings: Settings) -> String? {
        guard settings.isOfMachine else { return nil }
        return settings.isMachineWithoutEndpoint ? settings.missingEndpointWords : settings.unreadFileWords
    }

    private static func source(of setting: Settings.Shown) -> String {
        setting.source.description + (setting.isFixed == true ? ", fixed" : "")
    }

    /// One a line, in columns.
    static func table(_ settings: [Settings.Shown]) -> [String] {
        let rows =
            [("NAME", "VALUE", "SOURCE")]
            + settings.map { ($0.name, $0.value ?? "-", source(of: $0)) }
        let nameWidth = rows.map(\.0.count).max() ?? 0
        // A long value moves the source of its own line only.
        let valueWidth = rows.map(\.1.count).filter { $0 <= 40 }.max() ?? 0
        return rows.map { name, value, source in
            ReportTable.pad(name, nameWidth) + "  " + ReportTable.pad(value, valueWidth) + "  " + source
        }
    }

    /// Of one setting, for scripts.
    static func json(_ setting: Settings.Shown) -> JSONObject {
        var object = JSONObject()
        object["name"] = .string(setting.name)
        object["value"] = JSONValue(setting.value)
        object["source"] = .string(setting.source.description)
        object["default"] = JSONValue(setting.standard)
        if let isFixed = setting.isFixed { object["fixed"] = .bool(isFixed) }
        if let route = setting.route { object["route"] = .object(route) }
        return object
    }

    private static func json(_ value: String?, _ source: String) -> JSONValue {
        var object = JSONObject()
        object["value"] = JSONValue(value)
        object["source"] = .string(source)
        return .object(object)
    }
}

extension Result<Settings, any Error> {
    /// The settings with the facts of this machine that their annotations ask for.
    func learningFacts(of spool: ReportSpool?) -> Self {
        map { settings in
            var settings = settings
            settings.learnFacts(of: spool)
            return settings
        }
    }
}
