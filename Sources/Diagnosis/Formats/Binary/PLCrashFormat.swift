/// A report of PLCrashReporter: `plcrash`, the version of the format, and a protocol buffer.
///
/// The numbers of the fields are those of its `PLCrashReport.proto`.
enum PLCrashFormat: BinaryFormat {
    static func read(_ window: PayloadWindow) -> Diagnosis? {
        // The version is a small number; in text a character follows.
        guard window.hasPrefix("plcrash"), let version = window.head.dropFirst(7).first, (1..<9).contains(version)
        else { return nil }
        var report = PLCrashReport()
        for (number, value) in ProtocolBuffer(window.head.dropFirst(8)) { report.read(number, value) }
        let crash = report.crash
        return Diagnosis(
            format: "plcrash", contentType: ContentType.bytes, kind: report.isRequested ? .diagnostic : .crash,
            summary: crash.nativeSummary(subject: "PLCrashReporter"), crash: crash)
    }
}

/// The fields of a PLCrashReporter report that make a crash.
private struct PLCrashReport {
    private typealias RawFrame = (address: UInt64, symbol: String?)

    private struct Thread {
        var number: Int64?
        var isCrashed = false
        var frames: [RawFrame] = []
    }

    private(set) var isRequested = false
    private var identifier: String?
    private var version: String?
    private var marketingVersion: String?
    private var processName: String?
    private var processPath: String?
    private var process: Int64?
    private var exception: (name: String, reason: String?, frames: [RawFrame])?
    private var signal: (name: String?, code: String?, address: UInt64?) = (nil, nil, nil)
    private var system = Crash.System()
    private var timestamp: Int64?
    private var threads: [Thread] = []
    private var images: [Crash.Image] = []

    mutating func read(_ number: Int, _ value: ProtocolBuffer.Value) {
        switch number {
        case 1: self.readSystem(value.message)
        case 2: self.readApplication(value.message)
        case 3 where self.threads.count < Crash.Bounds.threadCount: self.readThread(value.message)
        case 4 where self.images.count < Crash.Bounds.imageCount: self.readImage(value.message)
        case 5: self.readException(value.message)
        case 6: self.readSignal(value.message)
        case 7: self.readProcess(value.message)
        case 8: self.readMachine(value.message)
        case 9: for case (1, let value) in value.message { self.isRequested = value.isTrue }
        default: break
        }
    }

    private mutating func readSystem(_ message: ProtocolBuffer) {
        let systems: [UInt64: String] = [0: "macOS", 1: "iOS", 2: "iOS Simulator", 4: "tvOS"]
        for (number, value) in message {
            switch number {
            case 1: self.system.name = value.number.flatMap { systems[$0] }
            case 2: self.system.version = value.text
            case 3 where self.system.architecture == nil:
                // The number of ARM is 2 or 5.
                let names = ["i386", "x86_64", "arm", "ppc", "ppc64", "arm"]
                let number = value.number.flatMap { Int(exactly: $0) }
                self.system.architecture = number.flatMap { names.indices.contains($0) ? names[$0] : nil }
            case 4: self.timestamp = value.signedNumber
            default: break
            }
        }
    }

    private mutating func readApplication(_ message: ProtocolBuffer) {
        for (number, value) in message {
            switch number {
            case 1: self.identifier = value.text
            case 2: self.version = value.text
            case 3: self.marketingVersion = value.text
            default: break
            }
        }
    }

    private mutating func readProcess(_ message: ProtocolBuffer) {
        for (number, value) in message {
            switch number {
            case 1: self.processName = value.text
            case 2: self.process = value.number.flatMap { Int64(exactly: $0) }
            case 3: self.processPath = value.text
            default: break
            }
        }
    }

    /// The processor in it is newer and more exact than the one of the system.
    private mutating func readMachine(_ message: ProtocolBuffer) {
        var (type, subtype): (UInt64, UInt64) = (0, 0)
        for (number, value) in message {
            guard number == 2 else { continue }
            for (number, value) in value.message {
                if number == 2 { type = value.number ?? 0 }
                if number == 3 { subtype = value.number ?? 0 }
            }
        }
        if let name = AppleNames.architecture(type: type, subtype: subtype) { self.system.architecture = name }
    }

    private mutating func readException(_ message: ProtocolBuffer) {
        var exception: (name: String, reason: String?, frames: [RawFrame]) = ("", nil, [])
        for (number, value) in message {
            switch number {
            case 1: exception.name = value.text ?? ""
            case 2: exception.reason = value.longText
            case 3 where exception.frames.count < Crash.Bounds.frameCount:
                exception.frames.append(Self.frame(value.message))
            default: break
            }
        }
        self.exception = exception.name.isEmpty ? nil : exception
    }

    private mutating func readSignal(_ message: ProtocolBuffer) {
        for (number, value) in message {
            switch number {
            case 1: self.signal.name = value.text
            case 2: self.signal.code = value.text
            case 3: self.signal.address = value.number
            default: break
            }
        }
    }

    private mutating func readThread(_ message: ProtocolBuffer) {
        var thread = Thread()
        for (number, value) in message {
            switch number {
            case 1: thread.number = value.number.flatMap { Int64(exactly: $0) }
            case 2 where thread.frames.count < Crash.Bounds.frameCount:
                thread.frames.append(Self.frame(value.message))
            case 3: thread.isCrashed = value.isTrue
            default: break
            }
        }
        if self.threads.contains(where: \.isCrashed) { thread.isCrashed = false }
        self.threads.append(thread)
    }

    private static func frame(_ message: ProtocolBuffer) -> RawFrame {
        var frame: RawFrame = (0, nil)
        for (number, value) in message {
            if number == 3 { frame.address = value.number ?? 0 }
            guard number == 6 else { continue }
            for case (1, let value) in value.message { frame.symbol = value.text }
        }
        return frame
    }

    private mutating func readImage(_ message: ProtocolBuffer) {
        var (image, size) = (Crash.Image(path: ""), UInt64(0))
        for (number, value) in message {
            switch number {
            case 1: image.baseAddress = value.number
            case 2: size = value.number ?? 0
            case 3: image.path = value.text ?? ""
            case 4: image.buildID = value.bytes.flatMap { $0.isEmpty ? nil : $0.prefix(64).hexText }
            default: break
            }
        }
        if let base = image.baseAddress {
            let (end, overflow) = base.addingReportingOverflow(size)
            image.endAddress = overflow ? nil : end
        }
        self.images.append(image)
    }
}

extension PLCrashReport {
    var crash: Crash {
        var crash = Crash(
            program: self.processPath?.lastPathComponent.nonEmpty ?? self.processName ?? self.identifier,
            process: self.process, cause: self.cause)
        crash.version = self.marketingVersion ?? self.version
        crash.system = self.system
        crash.images = self.images
        // The time is 0 where the reporter could not tell it.
        crash.occurredAt = self.timestamp.flatMap { (1..<253_402_300_800).contains($0) ? $0 * 1_000 : nil }
        let images = ImageTable(self.images)
        let main = self.images.first { $0.path == self.processPath } ?? self.images.first
        crash.threads = self.threads.map { thread in
            var frames = thread.frames
            // The stack on which the exception was thrown; the thread's own one is that of its end.
            if thread.isCrashed, let exception = self.exception, !exception.frames.isEmpty { frames = exception.frames }
            return Crash.Thread(
                number: thread.number, isCrashed: thread.isCrashed,
                frames: frames.map { raw in
                    var frame = NativeCode.frame(at: raw.address, in: images.image(at: raw.address), main: main)
                    frame.function = raw.symbol
                    return frame
                })
        }
        return crash
    }

    private var cause: Crash.Cause {
        let address = self.signal.address.flatMap { $0 == 0 ? nil : $0 }
        guard let exception = self.exception else {
            return Crash.Cause(
                type: self.isRequested ? "requested report" : self.signal.name ?? "crash", signal: self.signal.name,
                code: self.signal.code, address: self.isRequested ? nil : self.signal.address)
        }
        return Crash.Cause(
            type: exception.name, message: exception.reason, signal: self.signal.name, code: self.signal.code,
            address: address)
    }
}
