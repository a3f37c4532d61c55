import DurableIO
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Reports

/// The setting `annotations`: what it may be, which place counts, and what is said of slips.
@Suite("Annotations in settings")
struct AnnotationSettingTests {
    /// The annotations as `key=value`, a fact as `key=<name>`, with `!` behind what is fixed.
    private func texts(_ settings: Settings) -> [String] {
        settings.annotations.map { one in
            let value =
                switch one.value {
                case .text(let text): text
                case .fact(let fact): "<\(fact.rawValue)>"
                }
            return "\(one.key)=\(value)\(one.isFixed ? "!" : "")"
        }
    }

    @Test("a value is a text, a number, a fact, or comes from a file or a variable; each may be fixed")
    func forms() throws {
        let json = #"""
            {"annotations": {
                "text": "shop", "number": 7, "fact": {"fact": "host"}, "sure": {"fact": "os", "fixed": true},
                "fixed": {"value": "berlin", "fixed": true}, "free": {"fixed": false, "value": 8},
                "file": {"file": "rack"}, "fixed.file": {"file": "rack", "fixed": true},
                "variable": {"environment": "SHARD"}, "fixed.variable": {"environment": "SHARD", "fixed": true},
                "machine": {"fact": "machine_id"}, "kernel": {"fact": "kernel"}, "empty": ""}}
            """#
        try withSettingsPlace(json) { place in
            try place.write("spool/rack", "# where\nB7\n")
            let settings = try place.settings(["SHARD": "3"])
            #expect(
                texts(settings) == [
                    "empty=", "fact=<host>!", "file=B7", "fixed=berlin!", "fixed.file=B7!", "fixed.variable=3!",
                    "free=8",
                    "kernel=<kernel>!", "machine=<machine_id>!", "number=7", "sure=<os>!", "text=shop", "variable=3",
                ])
            let rules = settings.annotationRules
            #expect(rules.fixedKeys == ["fixed", "fixed.file", "fixed.variable"])
            #expect(rules.facts == ["fact": .host, "sure": .os, "machine": .machineID, "kernel": .kernel])
            #expect(rules.values["text"] == "shop" && rules.values["fact"] == nil)
        }
    }

    @Test(
        "what cannot be is told with file, line, column, key and what is expected",
        arguments: [
            (
                #"{"h": {"fact": "hots"}}"#,
                #"line 1, column 32: annotations.h.fact: there is no fact "hots": did you mean host?"#
            ),
            (#"{"h": {"fact": "uptime"}}"#, #"there is no fact "uptime": facts are host, os, kernel, machine_id"#),
            (#"{"h": {"fact": 1}}"#, "annotations.h.fact: expected a fact, found a number: facts are host"),
            (
                #"{"h": {"fact": "host", "fixed": false}}"#,
                "annotations.h.fixed: facts are always fixed: leave this out"
            ),
            (#"{"a b": "x"}"#, #"line 1, column 18: annotations.a b: "a b" is no annotation key: use 1 to 64 of A-Z"#),
            (#"{"": "x"}"#, #""" is no annotation key"#),
            (
                #"{"a": [1]}"#,
                #"annotations.a: expected a text, {"fact": NAME}, {"value": TEXT, "fixed": true}, or {"file""#
            ),
            (
                #"{"version": 2.10}"#,
                "annotations.version: expected a text: put the number in quotes, so that each of its digits counts"
            ),
            (#"{"build": {"value": 20261129001234567890}}"#, "annotations.build.value: expected a text: put"),
            (#"{"a": null}"#, "NAME} to take it from, found null"),
            (
                #"{"a": {"valeu": "x"}}"#,
                "column 24: annotations.a.valeu: there is no member valeu: did you mean value?"
            ),
            (#"{"a": {"xyz": "x"}}"#, "there is no member xyz: expected a text"),
            (#"{"a": {"value": "x", "fixed": "yes"}}"#, "annotations.a.fixed: expected true or false, found a text"),
            (#"{"a": {"value": {"file": "x"}}}"#, "annotations.a.value: expected a text, found an object"),
            (#"{"a": {"file": 5}}"#, "annotations.a.file: expected the path of a file, found a number"),
            (#"{"a": {"file": "none"}}"#, "none: No such file or directory"),
            (#"{"a": {"environment": "NONE"}}"#, "annotations.a: $NONE is not set"),
            (#"{"a": {"file": "x", "value": "y"}}"#, "expected one of value, fact, environment, file, found 2"),
            (#"{"a": {"fixed": true}}"#, "expected one of value, fact, environment, file, found 0"),
            (#"{"a": "x\ny"}"#, "annotations.a: holds control characters"),
            (#"{"a": "1", "A": "2"}"#, "column 28: annotations.A: A differs from a in case only: leave one of them"),
            (#"{"a": "1", "a": "2"}"#, "annotations.a: is given in line 1 already"),
            ("[]", #"line 1, column 17: annotations: expected an object, as {"service": "shop""#),
        ])
    func slips(annotations: String, expected: String) throws {
        try withSettingsPlace(#"{"annotations": "# + annotations + "}") { place in
            let problem = try place.problem()
            #expect(problem.contains(expected), "\(problem)")
            #expect(problem.hasPrefix("line 1, column "), "\(problem)")
        }
    }

    private func object(_ members: [(String, String)]) -> String {
        #"{"annotations": {"# + members.map { "\n\"\($0.0)\": \"\($0.1)\"" }.joined(separator: ",") + "}}"
    }

    @Test("a value has 1 KiB at most; there are 64 at most, of 16 KiB in all, of all places together")
    func bounds() throws {
        let kib = String(repeating: "x", count: 1_024)
        try withSettingsPlace(object([("a", kib)])) { place in
            #expect(try place.problem() == "none")
            try place.write("spool/reports.json", object([("a", kib + "é")]))
            #expect(try place.problem() == "line 2, column 6: annotations.a: has 1026 bytes: at most 1024 are kept")

            let many = (1...64).map { ("k\($0)", "v") }
            try place.write("spool/reports.json", object(many))
            #expect(try place.problem() == "none")
            try place.write("etc/reports.json", object([("more", "v"), ("k1", "another")]))
            let error = #expect(throws: ReportsError.self) { try place.settings() }
            let expected = "etc/reports.json: line 2, column 1: annotations.more: there are more than 64 annotations"
            #expect(error?.message.contains(expected) == true, "\(String(describing: error))")

            // However many they are, they are told once.
            try place.write("etc/reports.json", object((65...20_000).map { ("k\($0)", "v") }))
            let surplus = try place.settingsOfSpool()
            #expect(surplus.annotations.count == 64)
            #expect(surplus.annotationProblems.count == 1)

            try place.write("etc/reports.json", "{}")
            try place.write("spool/reports.json", object((1...16).map { ("k\($0)", kib) }))
            #expect(
                try place.problem()
                    == "line 17, column 1: annotations.k16: with this one all annotations have more than 16 KiB "
                    + "together: leave some out")
        }
    }

    @Test("a variable stands over the spool's file, and that over the machine's, annotation by annotation")
    func places() throws {
        try withSettingsPlace(#"{"annotations": {"Site": "spool", "service": "spool", "rack": "spool"}}"#) { place in
            try place.write(
                "etc/reports.json",
                #"{"annotations": {"site": {"value": "machine", "fixed": true}, "host": {"fact": "host"}}}"#)
            #expect(texts(try place.settings()) == ["Site=spool", "host=<host>!", "rack=spool", "service=spool"])
            let lines = "# of the unit\nservice=a=b \n\nos\nRACK=\n"
            let settings = try place.settings(["REPORTS_ANNOTATIONS": lines])
            #expect(texts(settings) == ["RACK=", "Site=spool", "host=<host>!", "os=<os>!", "service=a=b"])
            let sources = settings.annotations.map(\.source.description)
            #expect(sources[0] == "$REPORTS_ANNOTATIONS" && sources[1] == place.file && sources[2] == place.systemFile)
            // A slip in a weaker place that does not count is none.
            try place.write("etc/reports.json", #"{"annotations": {"RACK": {"environment": "NONE"}}}"#)
            #expect(texts(try place.settings()) == ["Site=spool", "rack=spool", "service=spool"])
        }
    }

    @Test(
        "a bad line of the variable is named by its number",
        arguments: [
            ("a=b\nhots", "$REPORTS_ANNOTATIONS: line 2: expected key=value, or a fact: did you mean host?"),
            ("uptime", "line 1: expected key=value, or a fact: facts are host, os, kernel, machine_id"),
            ("\na b=c", #"line 2: "a b" is no annotation key"#), ("=c", #"line 1: "" is no annotation key"#),
            ("a=b\u{1}", "line 1: holds control characters"), ("a=b\nA=c", "line 2: A differs from a in case only"),
            ("a=b\na=c", "line 2: a is given already"), ("host\nhost=x", "line 2: host is given already"),
            ("a=" + String(repeating: "x", count: 1_025), "line 1: has 1025 bytes: at most 1024 are kept"),
        ])
    func badLines(lines: String, expected: String) throws {
        try withSettingsPlace { place in
            let error = #expect(throws: ReportsError.self) { try place.settings(["REPORTS_ANNOTATIONS": lines]) }
            #expect(error?.code == .badConfiguration)
            #expect(error?.message.contains(expected) == true, "\(String(describing: error))")
        }
    }

    @Test("where only the spool is asked for, a slip costs its annotation and no other, and is told")
    func alone() throws {
        let json = #"""
            {"max_count": 5, "endpoint": 7, "annotations": {
                "a": "kept", "b": {"environment": "NONE"}, "c": {"fact": "hots"}, "d e": "x", "host": {"fact": "host"}}}
            """#
        try withSettingsPlace(json) { place in
            let settings = try place.settingsOfSpool()
            #expect(texts(settings) == ["a=kept", "host=<host>!"])
            #expect(settings.limits.maximumCount == 5)
            let problems = settings.annotationProblems.map(\.message)
            #expect(problems.count == 3)
            let expected = ["$NONE is not set", "did you mean host?", "is no annotation key"]
            for (problem, expected) in zip(problems, expected) {
                #expect(problem.contains(expected), "\(problem)")
            }
        }
    }

    @Test("each is shown by its key with its value, its source and whether it is fixed")
    func shown() throws {
        try withSettingsPlace(#"{"annotations": {"host": {"fact": "host"}, "service": "shop"}}"#) { place in
            var settings = try place.settings()
            func shown(_ name: String) throws -> Settings.Shown {
                try #require(settings.shown.first { $0.name == name })
            }
            #expect(try shown("annotations.host").value == nil)
            settings.learnFacts(of: nil)
            #expect(try shown("annotations.host").value == MachineFacts().host)
            #expect(try shown("annotations.host").isFixed == true)
            #expect(try shown("annotations.service").value == "shop")
            #expect(try shown("annotations.service").isFixed == false)
            #expect(try shown("annotations.service").source.description == place.file)
            #expect(try shown("encoding").isFixed == nil)
            #expect(settings.shown.map(\.name).suffix(2) == ["annotations.host", "annotations.service"])
        }
    }
}
