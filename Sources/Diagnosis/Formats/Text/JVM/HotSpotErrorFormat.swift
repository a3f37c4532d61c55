/// The report of a Java virtual machine of the HotSpot family about its own end: the file `hs_err_pid….log`, or the
/// beginning of it that the machine writes to its output.
///
/// ```
/// #
/// # A fatal error has been detected by the Java Runtime Environment:
/// #
/// #  SIGSEGV (0xb) at pc=0x00007f722a0d27f4, pid=2940, tid=2941
/// #
/// # JRE version: OpenJDK Runtime Environment (17.0.15+6) (build 17.0.15+6-Debian-1deb12u1)
/// # Problematic frame:
/// # V  [libjvm.so+0xed27f4]  Unsafe_PutInt+0x124
/// ```
/// In place of the signal stands `Internal Error (FILE:LINE)`, `Out of Memory Error (FILE:LINE)`, or an exception of
/// Windows. Source: `VMError::report` in HotSpot's `utilities/vmError.cpp`.
enum HotSpotErrorFormat: TextFormat {
    private static let titles = [
        "# A fatal error has been detected by the Java Runtime",
        "# There is insufficient memory for the Java Runtime",
        "# An unexpected error has been detected by ",
    ]

    static let marks: [LineMark] = titles.map { .beginning($0) }

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        // A machine that dies while it reports begins anew; the first report is the one of the fault.
        for place in places.prefix(16) {
            guard let title = HotSpotTitle(text.lines[place...]) else { continue }
            var crash = Crash(
                program: text.origin?.name ?? "java", process: title.process ?? text.origin?.process, cause: title.cause
            )
            crash.runtime = title.runtime
            crash.system = title.system
            HotSpotReport.read(text.lines[place...], into: &crash)
            if crash.threads.isEmpty, let frame = title.problematicFrame {
                crash.threads = [Crash.Thread(isCrashed: true, frames: [frame])]
            }
            return TextFinding(
                diagnosis: Diagnosis(
                    format: "jvm-hs-err", contentType: ContentType.text, kind: .crash, summary: crash.summary(),
                    crash: crash),
                severity: .fatal, line: place)
        }
        return nil
    }
}

/// The lines at the beginning of a HotSpot report, each of which has `#` before it.
struct HotSpotTitle {
    private(set) var cause = Crash.Cause(type: "fatal error")
    private(set) var process: Int64?
    private(set) var runtime: Crash.Runtime?
    private(set) var system = Crash.System()
    private(set) var problematicFrame: Crash.Frame?

    private var location: String?
    private var remarks: [String] = []

    /// - Parameter lines: the report from its title on.
    init?(_ lines: ArraySlice<ArraySlice<UInt8>>) {
        var frameFollows = false
        for line in lines.dropFirst().prefix(64) {
            guard let remark = line.dropping("#")?.trimmed else { break }
            if frameFollows {
                self.read(frame: remark)
                frameFollows = false
            } else if remark.starts(with: "Problematic frame:".utf8) {
                frameFollows = true
            } else if let text = remark.dropping("JRE version: ") {
                self.runtime = Self.runtime(text)
            } else if let text = remark.dropping("Java VM: ") {
                self.system = Self.system(text)
            } else if remark.contains(", pid="), self.process == nil {
                self.read(reason: remark)
            } else if self.runtime == nil, !remark.isEmpty {
                self.remarks.append(remark.text)
            }
        }
        guard self.process != nil || self.problematicFrame != nil || self.runtime != nil else { return nil }
        if self.cause.signal == nil {
            // What was wrong stands on a line before the place, or behind it.
            let said = self.remarks.first { !$0.hasPrefix("Possible ") && !$0.hasPrefix("The ") }
            self.cause.message = Words.join(said, self.location.map { "(\($0))" }, separator: " ").nonEmpty
        }
    }

    /// `SIGSEGV (0xb) at pc=0x…, pid=2940, tid=2941`, `Internal Error (sharedRuntime.cpp:553), pid=2940, tid=2941`.
    private mutating func read(reason: ArraySlice<UInt8>) {
        self.process = reason.after(", pid=")?.leadingDigits?.decimalNumber
        let text = reason.before(", pid=") ?? reason
        let name = (text.before(" (") ?? text.before(" at pc=") ?? text)
        self.cause.type = name.text.nonEmpty ?? "fatal error"
        let inner = text.between("(", ")")
        if name.starts(with: "SIG".utf8) || name.starts(with: "EXCEPTION_".utf8) {
            self.cause.signal = name.starts(with: "SIG".utf8) ? name.text : nil
        } else {
            self.location = inner?.text
        }
    }

    /// The function at fault. Where that is none of the program's own, it says more than the signal alone.
    private mutating func read(frame line: ArraySlice<UInt8>) {
        self.problematicFrame = HotSpotFrame.frame(line, paths: [:])
        let isException = self.cause.signal != nil || self.cause.type.hasPrefix("EXCEPTION_")
        guard isException, let frame = self.problematicFrame, !frame.isOwn else { return }
        let module = frame.module.map { "(\($0.lastPathComponent))" }
        self.cause.message = Words.join(frame.function, module, separator: " ").nonEmpty
    }

    /// `NAME (VERSION) (build …)`.
    private static func runtime(_ text: ArraySlice<UInt8>) -> Crash.Runtime? {
        let name = (text.before(" (") ?? text).trimmed.text.nonEmpty
        return name.map { Crash.Runtime(name: $0, version: text.between(" (", ")")?.text) }
    }

    /// The last part in `OpenJDK 64-Bit Server VM (17.0.15+6-Debian-1deb12u1, mixed mode, …, linux-amd64)`.
    private static func system(_ text: ArraySlice<UInt8>) -> Crash.System {
        guard let inner = text.droppingSuffix(")"), let comma = inner.lastRange(of: ", "),
            let dash = inner[comma.upperBound...].range(of: "-")
        else { return Crash.System() }
        let names = ["linux": "Linux", "bsd": "macOS", "windows": "Windows", "macos": "macOS", "aix": "AIX"]
        let architectures = ["amd64": "x86_64", "aarch64": "arm64", "x86": "i386"]
        let architecture = inner[dash.upperBound...].text
        return Crash.System(
            name: names[inner[comma.upperBound..<dash.lowerBound].text],
            architecture: architectures[architecture] ?? architecture)
    }
}
