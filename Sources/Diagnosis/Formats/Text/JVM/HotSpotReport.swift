/// What stands below the beginning of a HotSpot report: the thread, its stack, the libraries, the time.
enum HotSpotReport {
    static func read(_ lines: ArraySlice<ArraySlice<UInt8>>, into crash: inout Crash) {
        crash.images = self.images(in: lines)
        let paths = Dictionary(crash.images.map { ($0.path.lastPathComponent, $0.path) }) { first, _ in first }
        var thread = Crash.Thread(isCrashed: true, frames: [])
        var hasThread = false
        for (index, line) in zip(lines.indices, lines.prefix(4_096)) {
            if let current = line.dropping("Current thread") {
                self.read(thread: current, into: &thread)
                hasThread = true
            } else if let host = line.dropping("Host: ") {
                self.read(host: host.trimmed, into: &crash.system)
            } else if let time = line.dropping("Time: ") ?? line.dropping("time: ") {
                crash.occurredAt = crash.occurredAt ?? self.milliseconds(in: time.trimmed)
            } else if let signal = line.dropping("siginfo:"), crash.cause.code == nil {
                crash.cause.code = signal.after("si_code: ")?.between("(", ")")?.text
                crash.cause.address =
                    signal.after("si_addr: ")?.prefix { $0 > 0x20 && $0 != UInt8(ascii: ",") }.hexNumber
            } else if line.starts(with: "Registers:".utf8), thread.registers.isEmpty {
                thread.registers = RegisterValues.section(lines[(index + 1)...])
            } else if line.elementsEqual("END.".utf8) {
                break
            }
        }
        thread.frames = self.stack(in: lines, paths: paths)
        if hasThread || !thread.frames.isEmpty { crash.threads = [thread] }
    }

    /// ` (0x00007f7224017ef0):  JavaThread "main" [_thread_in_vm, id=2941, stack(…)]`.
    private static func read(thread text: ArraySlice<UInt8>, into thread: inout Crash.Thread) {
        thread.name = text.between("\"", "\"")?.text
        thread.number = text.after("id=")?.leadingDigits?.decimalNumber
    }

    /// `AMD EPYC, 2 cores, 23G, Debian GNU/Linux 12 (bookworm)`.
    private static func read(host text: ArraySlice<UInt8>, into system: inout Crash.System) {
        guard let comma = text.lastRange(of: ", ") else { return }
        system.version = text[comma.upperBound...].text.nonEmpty
    }

    /// The native stack, which has the Java frames in it; where it does not reach them, the Java stack follows it.
    private static func stack(in lines: ArraySlice<ArraySlice<UInt8>>, paths: [String: String]) -> [Crash.Frame] {
        let native = self.frames(behind: "Native frames:", in: lines, paths: paths)
        let isMixed = native.contains { $0.isJava }
        return isMixed
            ? native.map(\.frame) : (native + self.frames(behind: "Java frames:", in: lines, paths: paths)).map(\.frame)
    }

    private static func frames(
        behind title: String, in lines: ArraySlice<ArraySlice<UInt8>>, paths: [String: String]
    ) -> [(frame: Crash.Frame, isJava: Bool)] {
        guard let start = lines.prefix(4_096).firstIndex(where: { $0.starts(with: title.utf8) }) else { return [] }
        var frames: [(frame: Crash.Frame, isJava: Bool)] = []
        for line in lines[(start + 1)...].prefix(2_048) {
            if line.trimmed.isEmpty { break }
            guard let frame = HotSpotFrame.frame(line, paths: paths) else { continue }
            frames.append((frame, "jJA".utf8.contains(line.first ?? 0)))
        }
        return frames
    }

    /// `Sun Nov 22 11:13:04 2026 UTC elapsed time: …`. A zone by another name than these may mean several zones.
    private static func milliseconds(in text: ArraySlice<UInt8>) -> Int64? {
        let words = text.split(separator: 0x20).prefix(6).map(\.text)
        guard words.count == 6, let month = self.months.firstIndex(of: words[1]), words[2].utf8.count <= 2 else {
            return nil
        }
        let zone: String
        switch words[5] {
        case "UTC", "GMT": zone = "Z"
        case let name where name.utf8.count == 3 && (name.hasPrefix("+") || name.hasPrefix("-")): zone = "\(name)00"
        case let name where name.utf8.count == 5 && (name.hasPrefix("+") || name.hasPrefix("-")): zone = name
        default: return nil
        }
        let date = "\(words[4])-\(month < 9 ? "0" : "")\(month + 1)-\(words[2].utf8.count < 2 ? "0" : "")\(words[2])"
        return ZonedTime.milliseconds(in: "\(date)T\(words[3])\(zone)")
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// The files in the list of mappings behind `Dynamic libraries:`, each with all its mappings as one.
    private static func images(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Image] {
        guard let start = lines.firstIndex(where: { $0.starts(with: "Dynamic libraries:".utf8) }) else { return [] }
        var images: [Crash.Image] = []
        for line in lines[(start + 1)...].prefix(65_536) {
            guard let dash = line.firstIndex(of: UInt8(ascii: "-")) else { break }
            guard let base = line[..<dash].hexNumber, let slash = line.range(of: " /"),
                let end = line[(dash + 1)...].prefix(while: { $0 > 0x20 }).hexNumber
            else { continue }
            let path = line[(slash.upperBound - 1)...].trimmed.text
            // Data files are mapped too; code comes in libraries, and as the launcher, which is the first file.
            guard
                images.isEmpty || path.utf8.elementsEqual((images.last?.path ?? "").utf8)
                    || NativeOwnership.isSharedLibrary(path)
            else { continue }
            if images.last?.path == path {
                images[images.count - 1].endAddress = end
            } else if images.count < Crash.Bounds.imageCount {
                images.append(Crash.Image(path: path, baseAddress: base, endAddress: end))
            }
        }
        return images
    }
}
