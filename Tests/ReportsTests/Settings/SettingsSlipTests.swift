import Foundation
import Reports
import TestSupport
import Testing

/// What is said of files that people wrote by hand: where the slip is, and what belongs there.
@Suite("Slips in settings files")
struct SettingsSlipTests {
    @Test(
        "a slip in the JSON is told with its line and column",
        arguments: [
            (
                "{\n  // the server\n  \"max_count\": 1\n}",
                "line 2, column 3: comments are not allowed in JSON: remove it"
            ),
            ("{\"max_count\": 1} # all", "line 1, column 18: comments are not allowed in JSON: remove it"),
            ("{\n  \"max_count\": 1,\n}", "line 2, column 17: a comma before } is not allowed in JSON: remove it"),
            ("{\r\n  \"max_count\": 1,\r\n}", "line 2, column 17: a comma before }"),
            ("{\"max_count\": [1,]}", "line 1, column 17: a comma before ] is"),
            ("{\n “max_count”: 1}", "line 2, column 2: names and strings need straight double quotes (\"), found “"),
            ("{\"endpoint\": «x»}", "line 1, column 14: names and strings need straight"),
            ("{'max_count': 1}", "line 1, column 2: names and strings need straight double quotes (\")"),
            (
                "{\n\"endpoint\": \"secret,\n\"max_count\": 1}",
                "line 2, column 13: the string that begins here has no end: close it with \""
            ),
            ("{\"endpoint\": \"secret”\n}", "line 1, column 14: the string that begins here has no end"),
            ("{\"endpoint\": \"secret", "line 1, column 14: the string that begins here has no end"),
            ("{\"endpoint\": \"a\tb\"}", "line 1, column 16: a tab cannot stand in a text: write \\t"),
            ("{\"tls_key\": \"C:\\x\"}", "line 1, column 16: a backslash in a text is written \\\\"),
            ("{\"tls_key\": \"\\u12\"}", "line 1, column 18: expected four hexadecimal digits behind \\u"),
            ("{max_count: 1}", "line 1, column 2: names stand in double quotes: write \"max_count\""),
            ("{secret: 1}", "line 1, column 2: names stand in double quotes: write \" before and behind it"),
            ("{\"max_count\" = 1}", "line 1, column 14: write : instead of ="),
            ("{\"max_count\" 1}", "line 1, column 14: expected : between a name and its value"),
            ("{\"max_count\": 1\n\"max_age_days\": 1}", "line 2, column 1: expected a comma before this"),
            ("{\"max_count\": 1; \"max_age_days\": 1}", "line 1, column 16: write , instead of ;"),
            (
                "{\"max_count\": 1,, \"max_age_days\": 1}",
                "line 1, column 17: nothing stands before this comma: remove it"
            ),
            ("{\"max_count\": }", "line 1, column 15: expected a value before this }"),
            ("{\"proxy\": None}", "line 1, column 11: expected a value: a text in double quotes, a number"),
            ("{\"max_total_size\": 8GiB}", "line 1, column 21: a value with a unit stands in double quotes"),
            ("{\"max_total_size\": 8 GiB}", "line 1, column 22: a value with a unit stands in double quotes"),
            ("{\"max_count\": 05}", "line 1, column 16: a number does not begin with 0"),
            ("{\"max_count\": 5.}", "line 1, column 17: expected a digit"),
            ("{\"max_count\": tru}", "line 1, column 18: expected true, false or null"),
            ("{\"max_count\": [1}", "line 1, column 17: expected ] for the [ of line 1, found }"),
            ("{\n\"max_count\": 1\n", "line 3, column 1: the file ends before the { of line 1 has its }"),
            ("{\"max_count\": 1}}", "line 1, column 17: something follows the end of the object: remove it"),
            ("{\u{a0}\"max_count\": 1}", "line 1, column 2: an invisible character (U+00A0) cannot stand here"),
            (" \n", "line 2, column 1: expected a JSON object, as {\"endpoint\": \"https://…\"}, found nothing"),
            (
                "{\"grüße\": 1,\n \"max_count\": 1,\n \"max_count\": 2}",
                "line 3, column 2: max_count: is given in line 2 already: leave one of them"
            ),
            (
                "{\"headers\": {\"A\": {\"file\": \"a\", \"file\": \"b\"}}}",
                "line 1, column 33: headers.A.file: is given in line 1 already: leave one of them"
            ),
            ("{\n\"max_count\":\n   \"many\"}", "line 3, column 4: max_count: expected a number from 1 to 100000000"),
            (
                "{\n  \"max_cuont\": 1}",
                "line 2, column 3: max_cuont: there is no such setting: did you mean max_count?"
            ),
            ("{\"headers\": {\n \"A\": null}}", "line 2, column 7: headers.A: expected a text"),
        ])
    func slips(json: String, expected: String) throws {
        try withSettingsPlace(json) { place in
            let problem = try place.problem()
            #expect(problem.hasPrefix(expected), "\(problem)")
            #expect(!problem.contains("secret"))
        }
    }

    @Test(
        "what editors add is no slip: a byte order mark, CR LF, CR",
        arguments: ["\u{feff}{\"max_count\": 7}", "{\r\n\"max_count\": 7\r\n}\r\n", "{\r\"max_count\": 7\r}"])
    func editors(json: String) throws {
        try withSettingsPlace(json) { place in
            let limits = try place.settings().limits
            #expect(limits.maximumCount == 7)
        }
    }

    @Test("a file that is not UTF-8 is told as such")
    func encodings() throws {
        try withSettingsPlace { place in
            try place.write("spool/reports.json", [0xff, 0xfe] + Array("{}".utf8).flatMap { [$0, 0] })
            #expect(try place.problem() == "is UTF-16: save it as UTF-8")
            try place.write("spool/reports.json", Array("{\"endpoint\": \"".utf8) + [0xe9] + Array("\"}".utf8))
            #expect(try place.problem() == "line 1, column 15: is not UTF-8: save the file as UTF-8")
            try place.write("spool/reports.json", Array("{\n".utf8) + [0xe9] + Array("}".utf8))
            #expect(try place.problem() == "line 2, column 1: is not UTF-8: save the file as UTF-8")
        }
    }

    @Test(
        "a file that a value is taken from may have a byte order mark, CR LF, comments and empty lines",
        arguments: ["\u{feff}7\r\n", "# how many\n\n7\n", "\r\n7  \t\r\nrest", "7"])
    func valueFiles(text: String) throws {
        try withSettingsPlace(#"{"max_count": {"file": "count"}}"#) { place in
            try place.write("spool/count", text)
            let limits = try place.settings().limits
            #expect(limits.maximumCount == 7)
        }
    }

    @Test("a value from a file or a variable is in no message, whatever the setting")
    func quotes() throws {
        try withSettingsPlace(#"{"max_count": {"file": "token"}}"#) { place in
            try place.write("spool/token", "secret")
            #expect(try place.problem() == "line 1, column 15: max_count: expected a number from 1 to 100000000")
            try place.write("spool/token", [0x0a, 0xff])
            #expect(try place.problem().hasSuffix("token: line 2: is not UTF-8: save the file as UTF-8"))
            try place.write("spool/token", "# nothing\n")
            #expect(try place.problem().hasSuffix("token: expected a line that is neither empty nor a comment"))
        }
    }

    private func headers(_ bytes: [UInt8]) -> Result<[String], ReportsError> {
        Result { () throws(ReportsError) in
            try HeaderSetting.lines(bytes, from: .option("--header @h")).map { "\($0.name)=\($0.value)" }
        }
    }

    @Test(
        "a file of headers may have a byte order mark, CR LF, comments and empty lines",
        arguments: ["\u{feff}A: b\nC:d\n", "A: b\r\nC: d\r\n", "# one\n\n  # two\r\nA: b  \nC: \td", "A: b\rC: d"])
    func headerFiles(text: String) throws {
        #expect(try headers(Array(text.utf8)).get() == ["A=b", "C=d"])
    }

    @Test(
        "a bad line of it is named by its number and never by what it holds",
        arguments: [
            ("# x\r\nA: b\r\nBearer secret\r\n", "line 3: a header needs a colon"),
            ("\nAuthorization Bearer secret:x", "line 2: what stands before the colon is no header name"),
            ("“Authorization: secret”", "line 1: what stands before the colon is no header name"),
            ("A: b\n secret", "line 2: begins with a blank: a header is one line"),
            ("A: secret\u{1}", "line 1: the value of A holds control characters"),
            ("A: b\n\nContent-Type: secret", "line 3: Content-Type is set by Reports itself"),
        ])
    func badHeaderLines(text: String, expected: String) {
        let error = #expect(throws: ReportsError.self) { try headers(Array(text.utf8)).get() }
        #expect(error?.message.hasPrefix("--header @h: \(expected)") == true, "\(String(describing: error))")
        #expect(error?.message.contains("secret") == false)
    }

    @Test("a file of headers in another encoding, or too large, is refused as a whole")
    func headerEncodings() {
        #expect(throws: ReportsError.self) { try headers([0xff, 0xfe, 0x41, 0]).get() }
        #expect(throws: ReportsError.self) { try headers(Array("A: b\nC: ".utf8) + [0xe9]).get() }
        #expect(throws: ReportsError.self) {
            try headers(Array("A: b\n".utf8) + Array(repeating: 0x23, count: HeaderSetting.maximumByteCount)).get()
        }
    }

    @Test("a variable that resembles a setting's is named with the setting; others are left alone")
    func strayVariables() throws {
        try withSettingsPlace { place in
            let environment = [
                "REPORTS_ENDPONT": "x", "REPORTS_MAXCOUNT": "5", "REPORTS_BIN": "x", "REPORTS_RELEASE": "1",
                "REPORTS_PROXI": "x", "REPORTS_PROXY": "none",
            ]
            let stray = try place.settings(environment).strayVariables.map { "\($0.name) \($0.meant)" }
            #expect(stray == ["REPORTS_ENDPONT REPORTS_ENDPOINT", "REPORTS_MAXCOUNT REPORTS_MAX_COUNT"])
        }
    }
}
