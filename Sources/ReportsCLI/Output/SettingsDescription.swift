import Reports

/// The settings in force, for people and scripts. Secrets are masked.
enum SettingsDescription {
    /// Those that are not the defaults.
    static func lines(_ settings: Result<Settings, any Error>) -> [String] {
        guard case .success(let settings) = settings else { return [] }
        var lines: [String] = []
        if let file = settings.file { lines.append("settings:  \(file)") }
        for (name, value, source) in settings.shown where source != .standard {
            lines.append("\(name):  \(value ?? "")  (\(source.description))")
        }
        if let route = settings.route, route.source != SettingSource.standard.description {
            lines.append("route:  \(route.text)  (\(route.source))")
        }
        return lines
    }

    /// What looks like a slip in the environment.
    static func hints(_ settings: Settings) -> [String] {
        settings.strayVariables.map { "$\($0.name) is set, and no such setting exists: did you mean $\($0.meant)?" }
    }

    static func add(_ settings: Result<Settings, any Error>, to object: inout JSONObject) {
        switch settings {
        case .success(let settings):
            var members = JSONObject()
            for (name, value, source) in settings.shown {
                members[name] = json(value, source.description)
            }
            object["settings"] = .object(members)
            object["settings_problem"] = .null
            object["route"] = settings.route.map(json) ?? .null
        case .failure(let error):
            object["settings"] = .null
            object["settings_problem"] = .string((error as? ReportsError)?.message ?? "\(error)")
            object["route"] = .null
        }
    }

    private static func json(_ value: String?, _ source: String) -> JSONValue {
        var object = JSONObject()
        object["value"] = JSONValue(value)
        object["source"] = .string(source)
        return .object(object)
    }
}
