import TestSupport
import Testing

@testable import Reports

/// What a program does to have its own crashes reported; that it then works is tested with a real program
/// (`BacktraceVariableTests`).
@Suite("Capturing a program's own crashes")
struct CrashReportsTests {
    /// What `capture` comes to, and the value that the program would be started with once more.
    private func captured(_ directory: String, variable: String?) -> (outcome: CrashReports.Outcome, value: String?) {
        var value: String?
        let outcome = CrashReports.capture(in: directory, variable: variable) { new in
            value = new
            return "not in a test"
        }
        return (outcome, value)
    }

    @Test("without the variable the program is started once more, with all that a report needs")
    func unset() {
        let (outcome, value) = captured("/spool/incoming/shop@2.1", variable: nil)
        let expected =
            "enable=yes,format=json,output-to=/spool/incoming/shop@2.1,sanitize=yes,interactive=no,color=no"
        #expect(value == expected)
        #expect(outcome == .unavailable(reason: "not in a test"))
    }

    @Test("the second start, and a launcher that has set the variable, start nothing")
    func set() {
        let (outcome, value) = captured("/spool/incoming", variable: "enable=yes,output-to=/spool/incoming,format=json")
        #expect(value == nil && outcome == .capturing(directory: "/spool/incoming"))
    }

    @Test(
        "what the environment says otherwise is left alone",
        arguments: ["enable=no", "enable=off", "output-to=/elsewhere", "enable=yes,output-to=/spool/runs/x"])
    func left(variable: String) {
        let (outcome, value) = captured("/spool/incoming", variable: variable)
        #expect(value == nil && outcome == .leftToEnvironment)
    }

    @Test("other words of the environment are kept")
    func merged() {
        let value = captured("/spool/incoming", variable: "threads=all,sanitize=no").value
        #expect(
            value == "threads=all,sanitize=no,enable=yes,format=json,output-to=/spool/incoming,interactive=no,color=no")
    }

    @Test("a path with a comma cannot be written in the variable")
    func comma() {
        let (outcome, value) = captured("/spool,1/incoming", variable: nil)
        #expect(value == nil)
        guard case .unavailable(let reason) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(reason.contains("comma"))
    }

    @Test("the room is made, private, and bears the names")
    func room() async throws {
        try await withSpool { harness in
            let place = SpoolPlace(harness.spool, logger: harness.configuration().logger)
            let directory = try place.madeDropDirectory(service: "shop", version: "2.1")
            #expect(directory.hasSuffix("/incoming/shop@2.1"))
            #expect(try place.madeDropDirectory(service: "shop", version: "2.1") == directory)
            #expect(try place.madeDropDirectory(service: nil, version: nil).hasSuffix("/incoming"))
            #expect(try harness.entries("incoming") == ["shop@2.1"])
        }
    }

    @Test(
        "names that are none of a room are refused",
        arguments: [("sh op", nil), ("", nil), ("shop", "a/b"), (nil, "2.1")] as [(String?, String?)])
    func badNames(service: String?, version: String?) async throws {
        try await withSpool { harness in
            let place = SpoolPlace(harness.spool, logger: harness.configuration().logger)
            let error = #expect(throws: ReportsError.self) {
                _ = try place.madeDropDirectory(service: service, version: version)
            }
            #expect(error?.code == .badArgument)
            let left = try harness.entries("incoming")
            #expect(left == [])
        }
    }
}
