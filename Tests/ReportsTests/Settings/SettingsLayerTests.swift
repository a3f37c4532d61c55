import Foundation
import Glibc
import Reports
import TestSupport
import Testing

/// The machine's configuration file under that of the spool.
@Suite("The machine's settings")
struct SettingsLayerTests {
    private func write(_ place: SettingsPlace, system: String) throws {
        try place.write("etc/reports.json", system)
    }

    @Test("a member of the spool's file stands instead of the machine's, and the others of the machine's count")
    func members() throws {
        try withSettingsPlace(#"{"max_count": 5, "encoding": "identity"}"#) { place in
            try write(place, system: #"{"max_count": 9, "max_age_days": 7, "endpoint": "http://machine/"}"#)
            let settings = try place.settings()
            #expect(settings.limits.maximumCount == 5)
            #expect(settings.limits.maximumAge == .seconds(7 * 86_400))
            #expect(settings.main.encoding == .identity)
            #expect(settings.entry(.endpoint)?.shownText == "http://machine/")
            #expect(settings.entry(.maximumCount)?.source.description == place.file)
            #expect(settings.entry(.maximumAge)?.source.description == place.systemFile)
            #expect(settings.files.map(\.string) == [place.file, place.systemFile])
            let variable = try place.settings(["REPORTS_MAX_AGE_DAYS": "3"])
            #expect(variable.limits.maximumAge == .seconds(3 * 86_400))
        }
    }

    @Test("without a file in the spool the machine's alone counts, its paths taken from its own folder")
    func alone() throws {
        try withSettingsPlace { place in
            try write(place, system: #"{"tls_key": "key.pem", "headers": {"A": {"file": "token"}}}"#)
            try place.write("etc/token", "of the machine")
            let settings = try place.settings()
            #expect(settings.main.tls.clientKey?.string == place.directory + "/etc/key.pem")
            #expect(settings.main.headers.map(\.value) == ["of the machine"])
            #expect(settings.main.headers.first?.source.description == place.systemFile)
            #expect(settings.files.map(\.string) == [place.systemFile])
        }
    }

    @Test("headers of the spool's file stand instead of all of the machine's")
    func headers() throws {
        try withSettingsPlace(#"{"headers": {"C": "spool"}}"#) { place in
            try write(place, system: #"{"headers": {"A": "machine", "B": "machine"}, "endpoint": "http://machine/"}"#)
            #expect(try place.settings().main.headers.map(\.name) == ["C"])
        }
    }

    @Test(
        "the machine's headers go nowhere where the spool's file leads, which is said",
        arguments: [
            ("endpoint", "http://spool/"), ("proxy", "http://proxy.example:1"), ("tls_authorities", "roots.pem"),
        ])
    func headersThatAreKeptBack(member: String, value: String) throws {
        try withSettingsPlace("{\"\(member)\": \"\(value)\"}") { place in
            try write(place, system: #"{"headers": {"A": "secret"}, "endpoint": "http://machine/", "max_count": 3}"#)
            let settings = try place.settings()
            #expect(settings.main.headers.isEmpty)
            let words = "the headers of \(place.systemFile) are not sent, because \(place.file) has \(member)"
            #expect(settings.withheldHeaders == [words])
            #expect(settings.limits.maximumCount == 3)
            let option = try place.settings(["REPORTS_HEADERS": "B: own"])
            #expect(option.main.headers.map(\.name) == ["B"] && option.withheldHeaders.isEmpty)
            try place.write("spool/reports.json", #"{"no_proxy": "a", "encoding": "file"}"#)
            let others = try place.settings()
            #expect(others.main.headers.map(\.name) == ["A"] && others.withheldHeaders.isEmpty)
        }
    }

    @Test("$REPORTS_CONFIG names a file instead of both")
    func named() throws {
        try withSettingsPlace(#"{"max_count": 5}"#) { place in
            try write(place, system: "no JSON")
            try place.write("named.json", #"{"max_age_days": 2}"#)
            let settings = try place.settings(["REPORTS_CONFIG": place.directory + "/named.json"])
            #expect(settings.limits.maximumCount == SpoolLimits().maximumCount)
            #expect(settings.limits.maximumAge == .seconds(2 * 86_400))
            #expect(settings.files.map(\.string) == [place.directory + "/named.json"])
        }
    }

    @Test("a value of the machine's file that cannot be had is told only where it counts")
    func unusable() throws {
        try withSettingsPlace(#"{"proxy": "none"}"#) { place in
            let headers = #""headers": {"A": {"file": "gone"}}"#
            try write(place, system: #"{"max_count": "many", "proxy": {"file": "gone"}, \#(headers)}"#)
            #expect(throws: ReportsError.self) { try place.settings() }
            try place.write("spool/reports.json", #"{"proxy": "none", "max_count": 4, "headers": {}}"#)
            #expect(try place.settings().limits.maximumCount == 4)
            try place.write("spool/reports.json", #"{"max_count": 4, "headers": {}}"#)
            let error = #expect(throws: ReportsError.self) { try place.settings() }
            #expect(error?.message.hasPrefix("\(place.systemFile): line 1, column 32: proxy: ") == true)
            #expect(error?.code == .badConfiguration)
        }
    }

    @Test("a slip in it is told with its own path, and what was meant")
    func slip() throws {
        try withSettingsPlace { place in
            try write(place, system: "{\n \"max_cuont\": 1}")
            let error = #expect(throws: ReportsError.self) { try place.settings() }
            let problem = "max_cuont: there is no such setting: did you mean max_count?"
            #expect(error?.message == "\(place.systemFile): line 2, column 2: \(problem)")
        }
    }

    @Test("one that everybody may write to is not believed, and says whose it has to be")
    func trust() throws {
        try withSettingsPlace { place in
            try write(place, system: #"{"max_count": 1}"#)
            chmod(place.systemFile, 0o666)
            let error = #expect(throws: ReportsError.self) { try place.settings() }
            #expect(error?.message.contains("belong to root, and not be writable by everybody") == true)
            chmod(place.systemFile, 0o644)
            #expect(try place.settings().limits.maximumCount == 1)
        }
    }

    @Test("a link to a file that is gone is told; neither file nor folder is no fault")
    func missing() throws {
        try withSettingsPlace { place in
            symlink(place.directory + "/gone.json", place.systemFile)
            let error = #expect(throws: ReportsError.self) { try place.settings() }
            #expect(error?.message.hasPrefix("\(place.systemFile): is a link to a file that is not there") == true)
            try FileManager.default.removeItem(atPath: place.directory + "/etc")
            #expect(try place.settings().files.isEmpty)
        }
    }
}
