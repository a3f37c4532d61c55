/// A crash report of KSCrash, a library that writes them in the process that crashes, on Apple's systems.
///
/// ```
/// { "report": {"id": …, "timestamp": 1795346012}, "binary_images": […], "system": {"process_name": "Shop", …},
///   "crash": { "error": {"type": "nsexception", "reason": …}, "threads": [{"crashed": true, "backtrace": …}] } }
/// ```
/// The members come in any order. A crash within the library's own handler leaves a short report about itself, and in
/// `recrash_report` what there is of the report about the first crash. Source: `KSCrashReportFields.h`.
enum KSCrashFormat: DocumentFormat {
    static let marks = ["binary_images", "crash", "recrash_report"]

    static func read(_ document: JSONDocument) -> Diagnosis? {
        guard let report = KSCrashReport(document) else { return nil }
        let crash = report.crash
        return document.diagnosis(
            format: "kscrash", kind: report.kind,
            summary: AppleNames.beginning(crash) + crash.cause.sentence + (crash.place?.place ?? ""), crash: crash)
    }
}

/// What one report of KSCrash says.
private struct KSCrashReport {
    let crash: Crash
    let kind: Diagnosis.Kind

    init?(_ document: JSONDocument) {
        let recrash = document["recrash_report"]?.objectValue
        let outer = Self.crash(in: document)
        // The first crash is the fault; the one of the handler only followed.
        let inner = recrash?.object("crash").flatMap { $0.object("error") == nil ? nil : $0 }
        guard let section = inner ?? outer, let error = section.object("error"),
            document["binary_images"] != nil || document["report"] != nil || document["system"] != nil || recrash != nil
        else { return nil }
        let cause = KSCrashCause(error, diagnosis: section.text("diagnosis"))
        let information = document["report"]?.objectValue ?? JSONObject()
        let system = document["system"]?.objectValue ?? recrash?.object("system") ?? JSONObject()
        var crash = Self.crash(of: cause.cause, information: information, system: system)
        let images = (document["binary_images"] ?? recrash?["binary_images"])?.arrayValue ?? []
        crash.images = images.prefix(Crash.Bounds.imageCount).map(Self.image)
        let frames = KSCrashFrames(images: crash.images, program: system.text("CFBundleExecutable") ?? crash.program)
        let threads = section["threads"] ?? information["threads"] ?? document["threads"]
        crash.threads = frames.threads(threads?.arrayValue ?? [], crashed: section["crashed_thread"])
        if let reported = cause.reportedStack {
            // The thread that reports is not where the error is.
            for index in crash.threads.indices { crash.threads[index].isCrashed = false }
            crash.threads.insert(reported, at: 0)
        }
        crash.earlierCauses = Self.deallocatedException(in: document).map { [$0] } ?? []
        (self.crash, self.kind) = (crash, cause.kind)
    }

    private static func crash(of cause: Crash.Cause, information: JSONObject, system: JSONObject) -> Crash {
        var crash = Crash(
            program: system.text("process_name") ?? system.text("CFBundleExecutable")
                ?? information.text("process_name"),
            process: system["process_id"]?.integerValue, cause: cause)
        crash.version = system.text("CFBundleShortVersionString")
        crash.system = Crash.System(
            name: system.text("system_name"), version: system.text("system_version"),
            architecture: system.text("cpu_arch"))
        crash.occurredAt = self.time(information["timestamp"])
        return crash
    }

    /// The section about the crash, of which a part may be in the middle of the document that is not known.
    private static func crash(in document: JSONDocument) -> JSONObject? {
        let known = document["crash"]?.objectValue
        if known?.object("error") != nil { return known }
        guard let rest = document.ending?.continued?.objectValue, rest.object("error") != nil else { return nil }
        return JSONObject((known?.members ?? []) + rest.members)
    }

    /// An exception object that was freed shortly before tells of the fault, when the crash itself has no exception.
    private static func deallocatedException(in document: JSONDocument) -> Crash.Cause? {
        let exception = document["process"]?["last_dealloced_nsexception"]?.objectValue
        return exception?.text("name").map { Crash.Cause(type: $0, message: exception?.text("reason")) }
    }

    /// Seconds since 1970, milliseconds, microseconds, or a text; versions differ.
    private static func time(_ value: JSONValue?) -> Int64? {
        switch value {
        case .string(let text): ZonedTime.milliseconds(in: text)
        case .integer(let number) where number > 100_000_000_000_000: number / 1_000
        case .integer(let number) where number > 100_000_000_000: number
        case .integer(let number) where (1..<100_000_000_000).contains(number): number * 1_000
        case .double(let number) where (1..<100_000_000_000).contains(number): Int64(number * 1_000)
        default: nil
        }
    }

    private static func image(_ image: JSONValue) -> Crash.Image {
        let base = image["image_addr"]?.address
        let end = image["image_size"]?.address.flatMap { size in
            base.flatMap { base in
                let (end, overflow) = base.addingReportingOverflow(size)
                return overflow ? nil : end
            }
        }
        return Crash.Image(
            path: image["name"]?.stringValue ?? "", buildID: AppleNames.buildID(image["uuid"]?.stringValue),
            baseAddress: base, endAddress: end)
    }
}
