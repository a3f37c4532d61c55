import TestSupport
import Testing

/// What the tool is linked with decides how large it is and how long it takes to start.
struct LinkageTests {
    @Test(
        "The tool needs no more of Foundation than its essentials",
        .enabled(if: findExecutable("ldd") != nil, "needs ldd"))
    func foundation() throws {
        let libraries = try run("ldd", [ReportsTool.path]).output
        #expect(libraries.contains("libc.so"))
        for name in ["libFoundation.so", "FoundationInternationalization", "FoundationNetworking", "FoundationICU"] {
            #expect(!libraries.contains(name))
        }
    }
}
