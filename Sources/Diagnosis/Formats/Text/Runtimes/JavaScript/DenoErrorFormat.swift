/// An error of a Deno program that nobody caught.
///
/// ```
/// error: Uncaught (in promise) TypeError: Cannot read properties of null (reading 'x')
///   null.x
///        ^
///     at file:///srv/shop/main.ts:2:6
/// ```
/// Source: `format_js_error` of Deno's `runtime/fmt_errors.rs`.
enum DenoErrorFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("error: Uncaught ")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.reversed() {
            guard var title = text.lines[place].dropping("error: Uncaught ") else { continue }
            title = title.dropping("(in promise) ") ?? title.dropping("(in worker \"\") ") ?? title
            guard var error = JavaScriptStack.title(title) else { continue }
            let rest = text.lines[(place + 1)...].prefix(RaisedException.maximumLineCount)
            guard let start = rest.firstIndex(where: { JavaScriptStack.frame($0) != nil }) else { continue }
            error.frames = text.lines[start...].frames(JavaScriptStack.frame)
            return RuntimeCrash(
                format: "deno-uncaught", subject: "deno", runtime: Crash.Runtime(name: "Deno"), cause: error.cause,
                threads: [Crash.Thread(isCrashed: true, frames: error.frames)], line: place
            ).finding(in: text)
        }
        return nil
    }
}
