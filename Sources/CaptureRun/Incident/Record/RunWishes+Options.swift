import DurableIO

extension RunWishes {
    /// The wishes of a command line. Of the variables those are read that it names, and those that tell a version.
    init(_ options: RunOptions, _ variable: (String) -> String?) {
        self.init()
        for name in options.annotatedVariables { annotations[name] = variable(name).map(Incident.value) }
        annotations.merge(options.annotations) { $1 }
        if let name = options.name { annotations["service"] = name }
        release = options.release ?? Self.attribute("service.version", variable) ?? variable("SENTRY_RELEASE")
        release = release.map(Incident.value)
        if let release { annotations["version"] = release }
        variables = Set(options.annotatedVariables)
        tellsArguments = options.tellsArguments
        occasions = options.occasions
    }

    /// An attribute of `OTEL_RESOURCE_ATTRIBUTES`: `key=value,key=value`, percent-encoded.
    private static func attribute(_ key: String, _ variable: (String) -> String?) -> String? {
        let pairs = (variable("OTEL_RESOURCE_ATTRIBUTES") ?? "").split(separator: ",")
        for pair in pairs {
            let parts = pair.split(separator: "=", maxSplits: 1).map { $0.trimmingBlanks }
            if parts.count == 2, parts[0] == key { return PercentEncoding.decode(parts[1][...]) ?? parts[1] }
        }
        return nil
    }
}

extension Substring {
    fileprivate var trimmingBlanks: String {
        String(decoding: Array(utf8)[...].withoutBlanks, as: UTF8.self)
    }
}
