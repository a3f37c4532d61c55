import Foundation
import TestSupport
import Testing

/// The stack of a crash as `show` prints it.
@Suite("The stack that show prints")
struct ShownStackTests {
    @Test("of a stack that was cut, the calls that are missing count as well", arguments: [21, 256, 1_000])
    func count(frameCount: Int) async throws {
        try await withTool { tool in
            let frames = (0..<frameCount).map { "\tat com.example.Till.f\($0)(Till.java:\($0 + 1))\n" }
            let id = try await tool.add(
                "Exception in thread \"main\" java.lang.StackOverflowError: deep\n" + frames.joined())
            let shown = try await tool.run("show", id).output
            #expect(shown.contains("\n  * 19  com.example.Till.f19 at Till.java:20\n"), "\(shown)")
            #expect(shown.contains("\n    \(frameCount - 20) more\n"), "\(shown)")
        }
    }
}
