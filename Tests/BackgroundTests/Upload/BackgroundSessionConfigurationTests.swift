import Background
import SystemPackage
import Testing

struct BackgroundSessionConfigurationTests {
    @Test(
        "An identifier becomes one safe directory name",
        arguments: [
            ("com.example.reports", "com.example.reports"), ("", "%"), (".", "%2E"), ("..", "%2E."),
            ("../../etc", "%2E.%2F..%2Fetc"), ("a/b", "a%2Fb"), ("a%2Fb", "a%252Fb"), ("a b\u{0}", "a%20b%00"),
            ("\u{e9}", "%C3%A9"), ("\t", "%09"),
        ])
    func names(identifier: String, name: String) {
        #expect(BackgroundSessionConfiguration.directoryName(for: identifier) == name)
    }

    @Test("Long identifiers stay apart and fit")
    func longNames() {
        let long = String(repeating: "a", count: 5_000)
        let names = [long, long + "a", long + "b"].map(BackgroundSessionConfiguration.directoryName)
        #expect(Set(names).count == 3)
        #expect(names.allSatisfy { $0.utf8.count <= 255 })
    }

    @Test("The defaults are the documented ones")
    func defaults() {
        let configuration = BackgroundSessionConfiguration.background(withIdentifier: "x")
        #expect(configuration.identifier == "x")
        #expect(configuration.rootDirectory == nil)
        #expect(configuration.maximumConnectionsPerHost == 4)
        #expect(configuration.requestProvider == nil)
        #expect(configuration.resolvedRootDirectory?.string.hasSuffix("/background/x") == true)
    }
}
