import DurableIO

extension Settings {
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

        private init(name: String, value: String?, standard: String?, source: SettingSource, isFixed: Bool? = nil) {
            self.name = name
            self.value = value
            self.standard = standard
            self.source = source
            self.isFixed = isFixed
        }

        init(_ setting: Setting, _ entry: SettingEntry?, standard: String?) {
            self.init(
                name: setting.rawValue, value: entry?.shownText ?? standard, standard: standard,
                source: entry?.source ?? .standard)
        }

        init(_ header: HeaderSetting) {
            self.init(name: "headers.\(header.name)", value: "***", standard: nil, source: header.source)
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
