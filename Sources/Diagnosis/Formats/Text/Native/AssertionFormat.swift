/// A failed assertion of a C or C++ program.
///
/// The libraries have their own words for it (``FailedAssertion``); all of them abort.
enum AssertionFormat: TextFormat {
    static let marks: [LineMark] = [
        .containing(": Assertion `"), .containing(": Assertion '"), .containing(": assertion "),
        .containing(": libc++ Hardening assertion "), .beginning("TRAP: "), .beginning("Assertion failed: "),
        .beginning("assertion \""), .beginning("**"),
        .beginning("("), .beginning("ASSERT: \""), .beginning("ASSERT failure in "),
    ]

    static let words = [
        ": Assertion `", ": Assertion '", ": assertion ", "Hardening assertion", "TRAP: ", "Assertion failed: ",
        "assertion \"", "ASSERT", "ERROR:", " **: ",
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            guard let assertion = FailedAssertion(text.lines[place...]) else { continue }
            var crash = Crash(
                program: assertion.program ?? text.origin?.name, process: assertion.process ?? text.origin?.process,
                cause: assertion.cause)
            if let frame = assertion.frame { crash.threads = [Crash.Thread(isCrashed: true, frames: [frame])] }
            return TextFinding(crash, format: "assertion", line: place)
        }
        return nil
    }
}
