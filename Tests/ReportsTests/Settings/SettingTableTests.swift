import Background
import Reports
import TestSupport
import Testing

/// The table of settings: what a row says of the default is what is in force, whoever asks.
@Suite("The table of settings")
struct SettingTableTests {
    @Test("the text of each default, given as a value, is the default", arguments: Setting.allCases)
    func defaultTexts(_ setting: Setting) throws {
        guard let text = setting.standardText else { return }
        try withSettingsPlace { place in
            let settings = try place.settings([:], [setting: text])
            #expect(settings.entry(setting)?.shownText == text)
            #expect(settings.limits == SpoolLimits())
            #expect(settings.sending == Settings().sending)
            #expect(settings.main.connection(settings.sending) == ConnectionSettings())
            let destination = Destination.http("http://server.example/")
            #expect(settings.main.encoding == destination.encoding)
            #expect(settings.main.acknowledgement == destination.acknowledgement)
        }
    }

    @Test("the defaults of the tool are those of the library")
    func libraryDefaults() {
        let configuration = Reporter.Configuration()
        let owner = SpoolOwner.Configuration(destination: nil)
        #expect(Settings().sending.maximumConcurrent == configuration.maximumConcurrent)
        #expect(Settings().sending.maximumConcurrent == owner.maximumConcurrent)
        #expect(Settings().sending.timeouts == configuration.connection.timeouts)
        #expect(SpoolLimits() == configuration.limits)
    }

    @Test(
        "the defaults of the contract",
        arguments: [
            (.encoding, nil), (.tlsMinimum, "1.2"), (.proxy, "environment"), (.connectTimeout, "5"),
            (.idleTimeout, "60"), (.answerTimeout, "300"), (.maximumConcurrent, "16"),
            (.maximumReportSize, "4294967296"), (.maximumCount, "200000"), (.maximumAge, "90"), (.endpoint, nil),
            (.acknowledgement, nil), (.noProxy, nil), (.maximumTotalSize, nil),
        ] as [(Setting, String?)])
    func contract(_ setting: Setting, _ text: String?) {
        #expect(setting.standardText == text)
    }

    @Test("what is about a destination is kept for the one that an endpoint names")
    func destinations() throws {
        try withSettingsPlace(#"{"encoding": "file", "idle_timeout": 7, "headers": {"A": "b"}}"#) { place in
            let settings = try place.settings()
            #expect(settings.destinations.map(\.name) == ["main"])
            #expect(settings.destinations[0].encoding == .file)
            #expect(settings.destinations[0].headers.map(\.name) == ["A"])
            #expect(settings.sending.timeouts.idle == .seconds(7))
        }
        let shared = Setting.allCases.filter { $0.scope == .sending }.map(\.rawValue)
        #expect(shared == ["connect_timeout", "idle_timeout", "answer_timeout", "max_concurrent"])
    }

    @Test("no two rows have one name, and each is found by its name")
    func names() {
        let names = Setting.allCases.map(\.rawValue)
        #expect(Set(names).count == names.count)
        for setting in Setting.allCases {
            #expect(Setting(rawValue: setting.rawValue) == setting)
            #expect(setting.variable == "REPORTS_" + setting.rawValue.uppercased())
            #expect(!setting.option.contains("_"))
        }
        #expect(Setting(rawValue: "headers") == nil)
        #expect(Set(Setting.otherVariables).isDisjoint(with: Setting.allCases.map(\.variable)))
    }

    @Test("each row says in a sentence what it is, and what a value has to be")
    func words() {
        for setting in Setting.allCases {
            #expect(setting.help.hasSuffix("."), "\(setting.rawValue)")
            #expect(!setting.expectation.isEmpty && !setting.valueName.isEmpty, "\(setting.rawValue)")
            for choice in setting.choices { #expect(setting.expectation.contains(choice)) }
            #expect(setting.standardText == nil || setting.standardWords != nil, "\(setting.rawValue)")
        }
        #expect(Setting.maximumReportSize.standardWords == "4 GiB")
        #expect(Setting.maximumTotalSize.standardWords?.hasPrefix("10 % of the file system") == true)
        #expect(Setting.answerTimeout.standardWords?.hasPrefix("300, doubled") == true)
    }

    @Test("every word of a closed list is taken", arguments: Setting.allCases.filter { !$0.choices.isEmpty })
    func choices(_ setting: Setting) throws {
        try withSettingsPlace { place in
            for choice in setting.choices {
                let settings = try place.settings([:], [setting: choice])
                #expect(settings.entry(setting)?.shownText == choice)
            }
        }
    }

    @Test("a share of the file system is told in bytes once its size is known")
    func shares() throws {
        try withSettingsPlace(#"{"max_total_size": "1 GiB"}"#) { place in
            var settings = try place.settings()
            func shown(_ setting: Setting) throws -> Settings.Shown {
                try #require(settings.shown.first { $0.name == setting.rawValue })
            }
            #expect(try shown(.minimumFreeSpace).value == nil)
            settings.fileSystemByteCount = 100 << 30
            #expect(try shown(.minimumFreeSpace).value == "\(64 << 20)")
            #expect(try shown(.maximumTotalSize).value == "1 GiB")
            // What would be in force without the file.
            #expect(try shown(.maximumTotalSize).standard == "\(10 << 30)")
        }
    }
}
