import Background
import DurableIO
import Foundation
import Glibc
import Reports
import SystemPackage
import TestSupport
import Testing

/// What is in force, from which place, and what is said about what cannot be.
@Suite("Settings")
struct SettingsTests {
    @Test("the command line is over the environment, the environment over the file, the file over the defaults")
    func precedence() throws {
        try withSettingsPlace(
            #"{"encoding": "file", "max_concurrent": 3, "idle_timeout": 7, "endpoint": "http://file/"}"#
        ) {
            place in
            let environment = ["REPORTS_ENCODING": "identity", "REPORTS_MAX_CONCURRENT": "4", "REPORTS_ENDPOINT": ""]
            let settings = try place.settings(environment, [.encoding: "gzip"])
            #expect(settings.main.encoding == .gzip)
            #expect(settings.sending.maximumConcurrent == 4)
            #expect(settings.sending.timeouts.idle == .seconds(7))
            #expect(settings.sending.timeouts.connect == .seconds(5))
            let shown = Dictionary(uniqueKeysWithValues: settings.shown.map { ($0.name, ($0.value, $0.source)) })
            #expect(shown["encoding"]?.1 == .option("--encoding"))
            #expect(shown["max_concurrent"]?.1 == .variable("REPORTS_MAX_CONCURRENT"))
            #expect(shown["idle_timeout"]?.1.description == place.file)
            #expect(shown["connect_timeout"]?.1 == .standard)
            // An empty variable is none.
            #expect(shown["endpoint"]?.0 == "http://file/")
        }
    }

    @Test("every setting of the file is in force")
    func everySetting() throws {
        let json = #"""
            {"endpoint": "https://server.example/{id}", "encoding": "identity", "acknowledgement": "header:Receipt",
             "tls_authorities": "roots.pem", "tls_certificate": "/abs/client.pem", "tls_key": "client.key",
             "tls_minimum": "1.3", "proxy": "http://proxy.example:3128", "no_proxy": "localhost", "connect_timeout": 2,
             "idle_timeout": 3.5, "answer_timeout": "4", "max_concurrent": 5, "max_report_size": "1 KiB",
             "min_free_space": "1.5MiB", "max_total_size": 1048576, "max_count": 6, "max_age_days": 7,
             "max_per_signature": "10 per 1 h", "headers": {"X-Team": "shop"}}
            """#
        try withSettingsPlace(json) { place in
            let settings = try place.settings()
            #expect(Setting.allCases.allSatisfy { settings.entry($0) != nil })
            let tls = settings.main.tls
            #expect(tls.certificateAuthorities == FilePath(place.directory + "/spool/roots.pem"))
            #expect(tls.clientCertificate == "/abs/client.pem")
            #expect(tls.clientKey == FilePath(place.directory + "/spool/client.key"))
            #expect(tls.minimumVersion == .v13)
            let timeouts = settings.sending.timeouts
            #expect([timeouts.connect, timeouts.idle, timeouts.answer] == [.seconds(2), .seconds(3.5), .seconds(4)])
            let limits = settings.limits
            #expect(limits.maximumReportByteCount == 1_024)
            #expect(limits.minimumFreeByteCount == 3 << 19)
            #expect(limits.maximumTotalByteCount == 1 << 20)
            #expect(limits.maximumCount == 6)
            #expect(limits.maximumAge == .seconds(7 * 86_400))
            #expect(limits.maximumPerSignature == SignatureLimit(count: 10, per: .seconds(3_600)))
            #expect(settings.main.route?.text == "http://proxy.example:3128")
            #expect(settings.main.destination?.encoding == .identity)
            #expect(settings.main.destination?.acknowledgement == .header("Receipt"))
            #expect(settings.main.headers.map(\.name) == ["X-Team"])
        }
    }

    @Test("a value may lie in a file or in a variable, and is never shown where it may be a secret")
    func secrets() throws {
        let json = #"""
            {"endpoint": {"environment": "URL"}, "proxy": {"file": "proxy"},
             "headers": {"Authorization": {"file": "token"}, "X-Key": {"environment": "KEY"}, "X-Plain": "secret3"}}
            """#
        try withSettingsPlace(json) { place in
            try place.write("spool/token", "Bearer secret1\nsecond line\n")
            try place.write("spool/proxy", "http://user:secret4@proxy.example:1\n")
            let settings = try place.settings(["KEY": "secret2", "URL": "http://server.example/{id}?key=secret5"])
            #expect(settings.main.headers.map(\.value) == ["Bearer secret1", "secret2", "secret3"])
            let shown = settings.shown.map { "\($0.name) \($0.value ?? "") \($0.source.description)" }.joined(
                separator: "\n")
            #expect(!shown.contains("secret"), "\(shown)")
            #expect(shown.contains("endpoint http://server.example/{id}?***"))
            #expect(shown.contains("proxy http://***@proxy.example:1"))
            #expect(shown.contains("headers.Authorization ***"))
            #expect(settings.main.route?.text == "http://***@proxy.example:1")
        }
    }

    @Test("the headers of the stronger place stand instead of the others")
    func headers() throws {
        try withSettingsPlace(#"{"headers": {"A": "file", "B": "file"}}"#) { place in
            #expect(try place.settings().main.headers.map(\.value) == ["file", "file"])
            let fromEnvironment = try place.settings(["REPORTS_HEADERS": "A: variable\n# none\n\nC: variable"])
            #expect(fromEnvironment.main.headers.map(\.name) == ["A", "C"])
        }
    }

    @Test(
        "what cannot be is told with file, line, key and what is expected",
        arguments: [
            (#"{"max_count": "many"}"#, "max_count: expected a number from 1 to 100000000, found \"many\""),
            (#"{"max_count": 0}"#, "max_count: expected a number from 1 to 100000000, found \"0\""),
            (
                #"{"max_total_size": "2 GB"}"#,
                "max_total_size: expected bytes, or a number with KiB, MiB, GiB or TiB, found"
            ),
            (#"{"max_total_size": -1}"#, "max_total_size: expected bytes"),
            (#"{"connect_timeout": 0}"#, "connect_timeout: expected seconds, from 1 to 86400, found \"0\""),
            (#"{"encoding": true}"#, "encoding: expected gzip, file or identity, or {\"file\": PATH}"),
            (#"{"no_proxy": ["a"]}"#, "NAME} to take it from, found a list"),
            (#"{"encoding": "br"}"#, "encoding: expected gzip, file or identity, found \"br\""),
            (
                #"{"endpoint": "server.example"}"#,
                "endpoint: the endpoint has no scheme: write http:// or https:// in front"
            ),
            (#"{"endpoint": {"file": "none"}}"#, "endpoint: "),
            (#"{"endpoint": {"environment": "NONE"}}"#, "$NONE is not set"),
            (#"{"proxy": "https://user:secret@p:1"}"#, "proxy: is a proxy reached over TLS"),
            (#"{"headers": []}"#, "headers: expected an object"),
            (#"{"headers": {"A b": "secret"}}"#, "headers.A b: \"A b\" is no header name"),
            (
                #"{"headers": {"Content-Length": "5"}}"#,
                "headers.Content-Length: Content-Length is set by Reports itself"
            ),
            (#"{"headers": {"A": "secret\n"}}"#, "the value of A holds control characters"),
            (#"{"headers": {"A": 5.5, "B": [1]}}"#, "headers.B: expected a text"),
            (
                #"{"endpont": "http://a/"}"#,
                "endpont: there is no such setting: did you mean endpoint?"
            ),
            (#"{"max-count": 1}"#, "max-count: there is no such setting: did you mean max_count?"),
            (#"{"colour": 1}"#, "colour: there is no such setting; expected one of headers, endpoint, encoding"),
            ("[]", "line 1, column 1: expected a JSON object"), ("", "expected a JSON object"),
            (#"{"tls_minimum": 1.1}"#, "tls_minimum: expected 1.2 or 1.3, found \"1.1\""),
            (#"{"acknowledgement": "receipt"}"#, "acknowledgement: expected header:NAME, json:POINTER or any"),
        ])
    func problems(json: String, expected: String) throws {
        try withSettingsPlace(json) { place in
            let error = #expect(throws: ReportsError.self) { try place.settings() }
            #expect(error?.code == .badConfiguration)
            let message = error?.message ?? ""
            #expect(message.hasPrefix("\(place.directory)/spool/reports.json: line 1, column "), "\(message)")
            #expect(message.contains(expected), "\(message)")
            #expect(!message.contains("secret"), "\(message)")
        }
    }

    @Test("what is wrong in the environment is configuration, and on the command line a wrong call")
    func codes() throws {
        try withSettingsPlace { place in
            let variable = #expect(throws: ReportsError.self) { try place.settings(["REPORTS_ENCODING": "br"]) }
            #expect(variable?.code == .badConfiguration)
            #expect(variable?.message.hasPrefix("$REPORTS_ENCODING: expected gzip") == true)
            let option = #expect(throws: ReportsError.self) { try place.settings([:], [.encoding: "br"]) }
            #expect(option?.code == .badArgument)
            #expect(option?.message.hasPrefix("--encoding: expected gzip") == true)
        }
    }

    @Test("$REPORTS_CONFIG names another file, which has to be there")
    func otherFile() throws {
        try withSettingsPlace(#"{"max_count": 1}"#) { place in
            try place.write("other.json", #"{"max_count": 2}"#)
            #expect(try place.settings(["REPORTS_CONFIG": place.directory + "/other.json"]).limits.maximumCount == 2)
            let error = #expect(throws: ReportsError.self) { try place.settings(["REPORTS_CONFIG": "/none.json"]) }
            #expect(error?.code == .badConfiguration)
            #expect(error?.message == "$REPORTS_CONFIG: /none.json: No such file or directory")
        }
    }

    @Test("a file in the spool that everybody may write to is not believed")
    func trust() throws {
        try withSettingsPlace(#"{"max_count": 1}"#) { place in
            chmod(place.file, 0o666)
            let error = #expect(throws: ReportsError.self) { try place.settings() }
            #expect(error?.message.contains("not be writable by everybody") == true)
            chmod(place.file, 0o644)
            let limits = try place.settings().limits
            #expect(limits.maximumCount == 1)
        }
    }

    @Test("without any, the defaults are in force")
    func defaults() throws {
        try withSettingsPlace { place in
            let settings = try place.settings()
            #expect(settings.limits == SpoolLimits())
            #expect(settings.main.connection(settings.sending) == ConnectionSettings())
            #expect(settings.main.destination == nil)
            #expect(settings.sending.maximumConcurrent == 16)
            #expect(settings.shown.allSatisfy { $0.source == .standard })
        }
    }
}
