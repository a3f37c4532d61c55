package import Diagnosis
import DurableIO

extension Settings {
    /// What is about destinations, all other settings, the headers of an endpoint that is named alone, and the
    /// annotations.
    package var shown: [Shown] {
        let isNamed = routes != nil
        var shown: [Shown] = []
        for destination in destinations where isNamed {
            shown += destination.shown(below: "destinations.\(destination.name).")
        }
        for (index, route) in (routes ?? []).enumerated() { shown.append(Shown(route, index)) }
        if !isNamed { shown += main.shownSettings(below: "") }
        for setting in Setting.allCases where setting.scope != .destination {
            shown.append(Shown(setting, entry(setting), standard: standardText(setting)))
        }
        if !isNamed { shown += main.shownHeaders(below: "") }
        return shown + annotations.map { Shown($0, facts) }
    }

    /// The default, in bytes where it is a share of the file system and its size is known.
    private func standardText(_ setting: Setting) -> String? {
        guard let share = setting.share else { return setting.standardText }
        return fileSystemByteCount.map { "\(share(SpoolLimits(), $0))" }
    }

    /// A setting as people and scripts are told of it: secrets are masked.
    package struct Shown: Sendable {
        package let name: String
        /// `nil` when nothing is set.
        package let value: String?
        /// What would be in force if nobody had set it.
        package let standard: String?
        package let source: SettingSource
        /// Whether no program can change it; `nil` for what no program can change anyway.
        package let isFixed: Bool?
        /// A route, as a configuration file has it; `nil` for all else.
        package let route: JSONObject?

        private init(
            name: String, value: String?, standard: String?, source: SettingSource, isFixed: Bool? = nil,
            route: JSONObject? = nil
        ) {
            self.name = name
            self.value = value
            self.standard = standard
            self.source = source
            self.isFixed = isFixed
            self.route = route
        }

        /// The prefix stands before the setting's name, if the setting is that of one destination.
        init(_ setting: Setting, _ entry: SettingEntry?, standard: String?, below prefix: String = "") {
            self.init(
                name: prefix + setting.rawValue, value: entry?.shownText ?? standard, standard: standard,
                source: entry?.source ?? .standard)
        }

        init(_ header: HeaderSetting, below prefix: String) {
            self.init(name: "\(prefix)headers.\(header.name)", value: "***", standard: nil, source: header.source)
        }

        init(_ route: RouteSetting, _ index: Int) {
            self.init(
                name: "routes[\(index)]", value: route.route.words, standard: nil, source: route.source,
                route: route.route.json)
        }

        init(_ annotation: AnnotationSetting, _ facts: [MachineFact: String]) {
            let value: String? =
                switch annotation.value {
                case .text(let text): text
                case .fact(let fact): facts[fact]
                }
            self.init(
                name: "annotations.\(annotation.key)", value: value, standard: nil, source: annotation.source,
                isFixed: annotation.isFixed)
        }

        /// Where the spool is, which is none of the settings that stand in files.
        package init(spool: SpoolLocation, standard: SpoolLocation?) {
            self.init(
                name: "spool", value: spool.path.string, standard: standard?.path.string, source: spool.source)
        }
    }
}

extension DestinationSettings {
    /// All that was set for it, and the defaults of the rest.
    fileprivate func shown(below prefix: String) -> [Settings.Shown] {
        shownSettings(below: prefix) + shownHeaders(below: prefix)
    }

    fileprivate func shownSettings(below prefix: String) -> [Settings.Shown] {
        Setting.allCases.filter { $0.scope == .destination }.map { setting in
            let standard: String? =
                switch setting {
                case .encoding: usualEncoding.rawValue
                case .acknowledgement: ownProof.map { "own: \($0)" } ?? setting.standardText
                default: setting.standardText
                }
            return Settings.Shown(setting, entries[setting], standard: standard, below: prefix)
        }
    }

    fileprivate func shownHeaders(below prefix: String) -> [Settings.Shown] {
        headers.map { Settings.Shown($0, below: prefix) }
    }
}
