/// A tombstone of Android as a protocol buffer, `tombstone_NN.pb`, which `debuggerd` writes besides the text since
/// Android 12.
///
/// It has no mark of its own. So it is told by the order of its first fields: a kind of processor, the fingerprint of the
/// build with its slashes and colons, a revision, and the time. The numbers of the fields are those of its
/// `tombstone.proto`.
enum TombstoneFormat: BinaryFormat {
    static func read(_ window: PayloadWindow) -> Diagnosis? {
        guard self.matches(window.head) else { return nil }
        var tombstone = Tombstone()
        for (number, value) in ProtocolBuffer(window.head) { tombstone.read(number, value) }
        guard let crash = tombstone.crash else { return nil }
        return Diagnosis(
            format: "android-tombstone-proto", contentType: ContentType.bytes,
            kind: tombstone.isRequested ? .diagnostic : .crash, summary: crash.nativeSummary(), crash: crash)
    }

    private static func matches(_ head: ArraySlice<UInt8>) -> Bool {
        var rest = head
        // ARM of 32 bits is 0, and numbers that are 0 are left out.
        if rest.first == 0x08 { rest = rest.dropFirst(2) }
        guard rest.first == 0x12 else { return false }
        var (fingerprint, hasTime, hasProcess) = ("", false, false)
        for (number, value) in ProtocolBuffer(head.prefix(4_096)).prefix(8) {
            if number == 2 { fingerprint = value.text ?? "" }
            if number == 4 { hasTime = value.text?.utf8.filter { $0 == UInt8(ascii: ":") }.count ?? 0 >= 2 }
            if number == 5 { hasProcess = value.number ?? 0 > 0 }
        }
        let characters = fingerprint.utf8
        return characters.contains(UInt8(ascii: "/")) && characters.contains(UInt8(ascii: ":")) && hasTime && hasProcess
    }
}

/// The fields of a tombstone that make a crash.
private struct Tombstone {
    private var architecture = "arm"
    private var fingerprint: String?
    private var crashedAt: Int64?
    private var process: Int64?
    private var crashedThread: Int64?
    private var program: String?
    private var signal: (name: String?, code: String?, address: UInt64?)?
    private var abortMessage: String?
    private var causes: [String] = []
    private var threads: [Crash.Thread] = []
    private var buildIDs: [String: String] = [:]

    /// Whether `debuggerd` was called for a process that lives on.
    var isRequested: Bool { self.signal?.name?.hasPrefix("<debuggerd") ?? false }

    mutating func read(_ number: Int, _ value: ProtocolBuffer.Value) {
        switch number {
        case 1: self.architecture = [1: "arm64", 2: "x86", 3: "x86_64", 4: "riscv64"][value.number ?? 0] ?? "arm"
        case 2: self.fingerprint = value.text
        case 4: self.crashedAt = value.text.flatMap(ZonedTime.milliseconds)
        case 5: self.process = value.number.flatMap { Int64(exactly: $0) }
        case 6: self.crashedThread = value.number.flatMap { Int64(exactly: $0) }
        // The other arguments are nobody's business.
        case 9 where self.program == nil: self.program = value.text?.lastPathComponent.nonEmpty
        case 10: self.readSignal(value.message)
        case 14: self.abortMessage = value.longText
        case 15 where self.causes.count < Crash.Bounds.earlierCauseCount:
            for case (1, let value) in value.message { self.causes.append(value.text ?? "") }
        case 16 where self.threads.count < Crash.Bounds.threadCount:
            for case (2, let value) in value.message { self.readThread(value.message) }
        default: break
        }
    }

    private mutating func readSignal(_ message: ProtocolBuffer) {
        var signal: (name: String?, code: String?, address: UInt64?) = (nil, nil, nil)
        var hasAddress = false
        for (number, value) in message {
            switch number {
            case 2: signal.name = value.text
            case 4: signal.code = value.text
            case 8: hasAddress = value.isTrue
            case 9: signal.address = value.number
            default: break
            }
        }
        // An address of 0 is left out.
        signal.address = hasAddress ? signal.address ?? 0 : nil
        self.signal = signal
    }

    private mutating func readThread(_ message: ProtocolBuffer) {
        var thread = Crash.Thread(isCrashed: false, frames: [])
        for (number, value) in message {
            switch number {
            case 1: thread.number = value.number.flatMap { Int64(exactly: $0) }
            case 2: thread.name = value.text
            case 4 where thread.frames.count < Crash.Bounds.frameCount:
                thread.frames.append(self.frame(value.message))
            default: break
            }
        }
        thread.isCrashed = thread.number == self.crashedThread && !self.threads.contains(where: \.isCrashed)
        self.threads.append(thread)
    }

    private mutating func frame(_ message: ProtocolBuffer) -> Crash.Frame {
        var frame = Crash.Frame(isOwn: false)
        var (file, buildID): (String?, String?) = (nil, nil)
        for (number, value) in message {
            switch number {
            case 1: frame.moduleOffset = value.number
            case 2: frame.address = value.number
            case 4: frame.function = value.text
            case 6: file = value.text
            case 8: buildID = value.text
            default: break
            }
        }
        guard let file else { return frame }
        frame.module = file.lastPathComponent
        frame.isOwn = file.hasPrefix("/") && !NativeCode.isOfSystem(file)
        if let buildID, self.buildIDs.count < Crash.Bounds.imageCount { self.buildIDs[file] = buildID }
        return frame
    }

    /// `nil` without a signal: then it is something else, or cut too early.
    var crash: Crash? {
        guard let signal = self.signal else { return nil }
        let name = signal.name ?? "signal"
        var crash = Crash(
            program: self.program, process: self.process,
            cause: Crash.Cause(
                type: self.isRequested ? "requested dump" : name, message: self.abortMessage ?? self.causes.first,
                signal: self.isRequested ? nil : name, code: self.isRequested ? nil : signal.code,
                address: signal.address))
        crash.threads = self.threads
        crash.occurredAt = self.crashedAt
        crash.images = self.buildIDs.sorted { $0.key < $1.key }.map { Crash.Image(path: $0.key, buildID: $0.value) }
        // BRAND/PRODUCT/DEVICE:VERSION/…
        let version = self.fingerprint.flatMap { Array($0.utf8)[...].after(":")?.before("/")?.text }
        crash.system = Crash.System(name: "Android", version: version, architecture: self.architecture)
        return crash
    }
}
