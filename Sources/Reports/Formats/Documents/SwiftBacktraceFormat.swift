/// A crash report in JSON of Swift's own backtracer.
///
/// It knows neither its process' number nor, beyond 15 bytes, its name; the file's name and the list of images help
/// out.
enum SwiftBacktraceFormat {
    static let marks = ["timestamp"]

    static func recognize(_ document: JSONDocument) -> Recognition? {
        guard document.root["timestamp"]?.stringValue != nil, document.root["kind"]?.stringValue == "crashReport" else {
            return nil
        }
        let threads = document.root["threads"]?.arrayValue ?? []
        let process = document.head.name.swiftProcess
        let command = process?.command ?? threads.first?["name"]?.stringValue?.nonEmpty
        let subject = command.map { command in
            let name = self.fullName(of: command, images: document.root["images"]?.arrayValue ?? [])
            return name + (process.map { "[\($0.identifier)]" } ?? "") + ": "
        }
        var summary = (subject ?? "") + (document.root.text("description") ?? "crash")
        // What a truncated report still tells may not be the crashed thread's own frame.
        if document.condition != .truncated, let thread = threads.first(where: { $0["crashed"]?.boolValue == true }) {
            summary += self.place(in: thread)
            if let name = thread["name"]?.stringValue?.nonEmpty, name != command { summary += " (thread \(name))" }
        }
        return document.recognition(format: "swift-backtrace-json", kind: .crash, summary: summary)
    }

    /// The program's name, where the kernel's 15 bytes of it were not enough.
    private static func fullName(of command: String, images: [JSONValue]) -> String {
        guard command.utf8.count >= 15 else { return command }
        let names = images.lazy.compactMap { $0["name"]?.stringValue }
        return names.first { $0.hasPrefix(command) } ?? command
    }

    private static func place(in thread: JSONValue) -> String {
        let frames = (thread["frames"]?.arrayValue ?? []).filter { $0["description"]?.stringValue != nil }
        guard let frame = frames.first(where: self.isOfProgram) ?? frames.first,
            let function = frame["description"]?.stringValue
        else { return "" }
        guard let file = frame["sourceLocation"]?["file"]?.stringValue,
            let line = frame["sourceLocation"]?["line"]?.integerValue, line > 0
        else { return " in \(function)" }
        return " in \(function) at \(file.lastPathComponent):\(line)"
    }

    /// Whether somebody who looks for the fault would begin here, and not in what the compiler or the runtime added.
    private static func isOfProgram(_ frame: JSONValue) -> Bool {
        for mark in ["system", "thunk", "runtimeFailure"] where frame[mark]?.boolValue == true { return false }
        return SwiftRuntime.isProgram(
            image: frame["image"]?.stringValue ?? "", function: frame["description"]?.stringValue ?? "")
    }
}

/// What of a backtrace belongs to Swift's runtime and the system's libraries.
enum SwiftRuntime {
    private static let images = [
        "libswift", "libFoundation", "lib_Foundation", "libdispatch", "libBlocksRuntime", "libc.so", "libpthread.so",
        "ld-linux", "ld-musl",
    ]

    /// A statically linked program has the runtime's functions in its own image.
    private static let functions = ["_assertionFailure(", "_fatalErrorMessage(", "swift_unexpectedError"]

    static func isProgram(image: String, function: String) -> Bool {
        !self.images.contains { image.hasPrefix($0) } && !self.functions.contains { function.contains($0) }
    }
}
