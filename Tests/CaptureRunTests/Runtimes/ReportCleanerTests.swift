import Diagnosis
import Testing

@testable import CaptureRun

/// Environment and arguments stay out of what runtimes write.
@Suite("Taking the environment and the arguments out of reports")
struct ReportCleanerTests {
    private let node = """
        {
          "header": {"event": "x \\"environmentVariables\\": {", "commandLine": ["node", "a.js", "--token=SECRET"],
                     "nodejsVersion": "v20.0.0"},
          "workers": [ {"environmentVariables": {"A": "SECRET", "n": {"x": ["}"]}}, "k": 1} ],
          "environmentVariables": {
            "SECRET_KEY": "SECRET", "REGION": "eu-1", "BRACE": "}SECRET\\"{"
          },
          "userLimits": {"core": 0}
        }

        """

    private func cleaned(_ text: String, _ cleaner: ReportCleaner = ReportCleaner()) -> String {
        String(decoding: cleaner.cleaned(Array(text.utf8)), as: UTF8.self)
    }

    @Test("Node's report keeps its form and everything else")
    func nodeReport() throws {
        let text = cleaned(node)
        #expect(!text.contains("SECRET"))
        let json = try JSONValue.parse(Array(text.utf8))
        #expect(json["environmentVariables"] == .object(JSONObject()))
        #expect(json["header"]?["commandLine"] == .array([]))
        #expect(json["header"]?["nodejsVersion"]?.stringValue == "v20.0.0")
        #expect(json["workers"]?[0]?["k"]?.integerValue == 1)
        #expect(json["userLimits"]?["core"]?.integerValue == 0)
    }

    @Test("what was asked for stays")
    func askedFor() throws {
        let text = cleaned(node, ReportCleaner(variables: ["REGION"], keepsArguments: true))
        let json = try JSONValue.parse(Array(text.utf8))
        #expect(json["environmentVariables"] == .object(["REGION": "eu-1"]))
        #expect(json["header"]?["commandLine"]?[2]?.stringValue == "--token=SECRET")
        #expect(!text.contains("SECRET_KEY"))
    }

    @Test("a report that ends anywhere has none of it either")
    func truncated() {
        let bytes = Array(node.utf8)
        for count in 0...bytes.count {
            let text = String(decoding: ReportCleaner().cleaned(Array(bytes[..<count])), as: UTF8.self)
            #expect(!text.contains("SECRET"), "\(count)")
        }
    }

    @Test("HotSpot's report has the class and no argument")
    func hotSpot() {
        let report = """
            #
            # A fatal error has been detected by the Java Runtime Environment:
            #
            Command Line: -Xmx64m -Dpassword=SECRET com.shop.Main --token=SECRET
            VM Arguments:
            jvm_args: -Dpassword=SECRET
            java_command: com.shop.Main --token=SECRET
            java_class_path (initial): /srv/SECRET
            Environment Variables:
            JAVA_TOOL_OPTIONS=-Dpassword=SECRET
            PATH=/usr/bin
              SECRET

            Signal Handlers:
            SIGSEGV: crash_handler
            """
        let text = cleaned(report)
        #expect(!text.contains("SECRET"))
        #expect(text.contains("java_command: com.shop.Main (left out)"))
        #expect(text.contains("JAVA_TOOL_OPTIONS=(left out)"))
        #expect(text.hasSuffix("\n\nSignal Handlers:\nSIGSEGV: crash_handler"))
        let asked = cleaned(report, ReportCleaner(variables: ["PATH"], keepsArguments: true))
        #expect(asked.contains("PATH=/usr/bin"))
        #expect(asked.contains("jvm_args: -Dpassword=SECRET"))
        #expect(asked.contains("JAVA_TOOL_OPTIONS=(left out)"))
    }
}
