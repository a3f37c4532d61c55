/// A crash report in JSON of Swift's own backtracer.
///
/// ```
/// { "timestamp": "2026-11-22T11:13:03.038846Z", "kind": "crashReport", "description": "Illegal instruction", …
///   "threads": [ { "name": "shopd", "crashed": true, "frames": [ { "kind": "programCounter", … } ] } ], "images": […] }
/// ```
/// It knows neither its process' number nor, beyond 15 bytes, its name; the file's name and the list of images help
/// out. The source is `stdlib/public/libexec/swift-backtrace/JSONFormatter.swift`.
enum SwiftBacktraceFormat: DocumentFormat {
    static let marks = ["timestamp"]

    static func read(_ document: JSONDocument) -> Diagnosis? {
        let images = document["images"]?.arrayValue ?? []
        guard let report = SwiftBacktraceReport(document.root, images: images, name: document.window.name) else {
            return nil
        }
        // What a truncated report still tells may not be the crashed thread's own frame.
        let summary = document.condition == .truncated ? report.sentence : report.summary
        return document.diagnosis(
            format: "swift-backtrace-json", kind: .crash, summary: summary, crash: report.crash)
    }
}

/// What one report of the backtracer says.
struct SwiftBacktraceReport {
    private let root: JSONObject
    private let threads: [JSONValue]
    /// The kernel's name of the process.
    private let command: String?
    var crash: Crash

    /// Reads a report; `nil` for an object that is none.
    /// - Parameters:
    ///   - root: the members of the report.
    ///   - images: the list of images, which may come from another part of the payload.
    ///   - name: the name of the file.
    init?(_ root: JSONObject, images: [JSONValue], name: PayloadName) {
        guard root["timestamp"]?.stringValue != nil, root["kind"]?.stringValue == "crashReport" else { return nil }
        self.root = root
        self.threads = (root["threads"]?.arrayValue ?? [])
            .keptThreads { $1["crashed"]?.boolValue == true }.map(\.thread)
        let process = name.swiftProcess
        self.command = process?.command ?? self.threads.first?["name"]?.stringValue?.nonEmpty
        self.crash = Crash(
            program: self.command.map { Self.fullName(of: $0, images: images) },
            process: process.flatMap { Int64($0.identifier) }, cause: Self.cause(in: root))
        self.crash.images = images.prefix(Crash.Bounds.imageCount).map(Self.image)
        self.crash.system = Self.system(in: root)
        self.crash.runtime = Crash.Runtime(name: "Swift")
        self.crash.occurredAt = root.text("timestamp").flatMap(ZonedTime.milliseconds)
        let frames = SwiftBacktraceFrames(
            images: images, table: ImageTable(self.crash.images), program: self.crash.program)
        self.crash.threads = self.threads.map { Self.thread($0, frames: frames) }
    }

    private static func thread(_ thread: JSONValue, frames: SwiftBacktraceFrames) -> Crash.Thread {
        var result = Crash.Thread(
            name: thread["name"]?.stringValue?.nonEmpty, isCrashed: thread["crashed"]?.boolValue == true,
            frames: (thread["frames"]?.arrayValue ?? []).keptFrames(frames.frame, callCount: frames.callCount))
        if result.isCrashed { result.registers = RegisterValues.read(thread["registers"]) }
        return result
    }

    /// The program's name, where the kernel's 15 bytes of it were not enough.
    private static func fullName(of command: String, images: [JSONValue]) -> String {
        guard command.utf8.count >= 15 else { return command }
        let names = images.lazy.compactMap { $0["name"]?.stringValue }
        return names.first { $0.hasPrefix(command) } ?? command
    }

    private static func cause(in root: JSONObject) -> Crash.Cause {
        let description = root.text("description") ?? "crash"
        let signal = SwiftRuntime.signal(of: description, architecture: root.text("architecture"))
        let address = root["faultAddress"]?.address
        if let failure = SwiftRuntime.failure(in: description) {
            return Crash.Cause(type: "Swift runtime failure", message: failure, signal: signal, address: address)
        }
        // The kernel has no address to tell of a signal that a process sent.
        let isSent = signal == "SIGABRT" || signal == "SIGQUIT"
        return Crash.Cause(
            type: signal ?? description, message: signal == nil ? nil : description, signal: signal,
            address: isSent ? nil : address)
    }

    private static func image(_ image: JSONValue) -> Crash.Image {
        Crash.Image(
            path: image["path"]?.stringValue?.nonEmpty ?? image["name"]?.stringValue ?? "",
            buildID: image["buildId"]?.stringValue?.nonEmpty?.lowercased(), baseAddress: image["baseAddress"]?.address,
            endAddress: image["endOfText"]?.address)
    }

    /// `Linux (Debian GNU/Linux 12 (bookworm))`, or `macOS 15.5 (24F74)`.
    private static func system(in root: JSONObject) -> Crash.System {
        let architecture = root.text("architecture")
        guard let platform = root.text("platform") else { return Crash.System(architecture: architecture) }
        let bytes = Array(platform.utf8)[...]
        guard let name = bytes.before(" ("), !name.contains(0x20), let distribution = bytes.after(" ("),
            let version = distribution.droppingSuffix(")")
        else { return AppleNames.system(platform, architecture: architecture) }
        return Crash.System(name: name.text, version: version.text, architecture: architecture)
    }

    /// The program and the description.
    var sentence: String {
        let subject = self.crash.subject().map { "\($0): " } ?? ""
        return subject + (self.root.text("description") ?? "crash")
    }

    /// The sentence, where it happened, and the thread if it has a name of its own.
    var summary: String {
        guard let index = self.crash.threads.firstIndex(where: \.isCrashed) else { return self.sentence }
        let name = self.crash.threads[index].name
        let thread = name == nil || name == self.command ? "" : " (thread \(name ?? ""))"
        return self.sentence + self.place(inThread: index) + thread
    }

    /// The place with the offset into the function, as the backtracer prints it.
    private func place(inThread index: Int) -> String {
        guard var place = self.crash.place else { return "" }
        let frames = self.threads[index]["frames"]?.arrayValue ?? []
        let description = frames.lazy.compactMap { $0["description"]?.stringValue }
            .first { SwiftBacktraceFrames.withoutOffset($0) == place.function }
        place.function = description ?? place.function
        return place.place
    }
}
