/// An error of a Bun program that nobody caught.
///
/// ```
/// 1 | const order = null;
/// 2 | order.lines
///     ^
/// TypeError: null is not an object (evaluating 'order.lines')
///       at /srv/shop/cart.js:2:1
///
/// Bun v1.1.34 (Linux x64)
/// ```
/// Source: `printErrorlikeObject` of Bun's `src/bun.js/javascript.zig`.
enum BunErrorFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("Bun v")]

    /// How many lines before the version are looked at for the error.
    private static let lineCount = 64

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.reversed() {
            let before = text.lines[max(0, place - Self.lineCount)..<place]
            guard let caret = before.lastIndex(where: \.isCaretLine),
                let error = JavaScriptError(text.lines[(caret + 1)..<place]), !error.error.frames.isEmpty
            else { continue }
            let version = text.lines[place].dropFirst(5).prefix { $0 > 0x20 }
            return RuntimeCrash(
                format: "bun-uncaught", subject: "bun", runtime: Crash.Runtime(name: "Bun", version: version.text),
                cause: error.error.cause, earlierCauses: error.causes,
                threads: [Crash.Thread(isCrashed: true, frames: error.error.frames)], line: caret
            ).finding(in: text)
        }
        return nil
    }
}
