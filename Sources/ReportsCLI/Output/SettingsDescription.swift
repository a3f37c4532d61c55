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
        if let proxy = proxy(settings) { lines.append(proxy) }
        return lines
    }

    static func add(_ settings: Result<Settings, any Error>, to object: inout JSONObject) {
        switch settings {
        case .success(let settings):
            var members = JSONObject()
            for (name, value, source) in settings.shown {
                var one = JSONObject()
                one["value"] = JSONValue(value)
                one["source"] = .string(source.description)
                members[name] = .object(one)
            }
            object["settings"] = .object(members)
            object["settings_problem"] = .null
        case .failure(let error):
            object["settings"] = .null
            object["settings_problem"] = .string((error as? ReportsError)?.message ?? "\(error)")
        }
    }

    /// The environment's proxy, when that is what the endpoint is reached through.
    private static func proxy(_ settings: Settings) -> String? {
        guard settings.entry(.proxy) == nil, let route = settings.proxyInForce else { return nil }
        return "proxy:  \(route)  (environment)"
    }
}
