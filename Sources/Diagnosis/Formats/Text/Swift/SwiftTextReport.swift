/// The report that Swift's backtracer writes as text.
///
/// ```
/// *** Program crashed: Illegal instruction at 0x00007fb993ef9361 ***
///
/// Platform: x86_64 Linux (Debian GNU/Linux 12 (bookworm))
///
/// Thread 0 "shopd" crashed:
///
///   0                  0x00007fb993ef9361 _assertionFailure(_:_:file:line:flags:) + 225 in libswiftCore.so
///   1 [ra]             0x0000559561fddce8 level3(_:) + 295 in shopd at src/main.swift:14:47
/// ...
///
/// Images (13 omitted):
///
/// 0x0000559561fd5000–0x0000559561fdf580 08d49417149187a2 shopd   /srv/shop/bin/shopd
///
/// Backtrace took 0.02s
/// ```
/// In colour its first line begins with a bomb. The preset `friendly` leaves addresses out and puts an excerpt of the
/// source below each frame. Source: `swift-backtrace` of Swift 6.3, `main.swift` and `BacktraceFormatter.swift`.
struct SwiftTextReport {
    /// Why the program crashed, in the backtracer's words.
    let reason: String
    private(set) var address: UInt64?
    private(set) var system = Crash.System()
    private(set) var threads: [Crash.Thread] = []
    private(set) var images: [Crash.Image] = []
    /// The functions of the crashed thread's frames as the backtracer prints them, with the offsets into them.
    private var symbols: [String] = []
    /// Whether frames of the thread that is being read are left out before the next one.
    private var isOmitting = false
    /// The number of the frame that follows the last one of the thread that is being read, if none is left out.
    private var nextNumber: Int64 = 0

    static let marks: [LineMark] = [.beginning("*** "), .beginning("\u{1f4a3} ")]

    /// Reads the report that begins with the first of some lines; `nil` where none does.
    init?(_ lines: ArraySlice<ArraySlice<UInt8>>) {
        guard let first = lines.first, let title = Self.title(in: first) else { return nil }
        self.reason = title.reason.text
        self.address = title.address
        var isImage = false
        for line in lines.dropFirst() {
            // The next report in the same capture.
            if Self.title(in: line) != nil || Self.signal(in: line) != nil { break }
            if line.starts(with: "Backtrace took ".utf8) { break }
            if line.starts(with: "Images".utf8), line.last == UInt8(ascii: ":") {
                isImage = true
            } else if isImage {
                self.addImage(line)
            } else {
                self.addLine(line)
            }
        }
        self.nameModules()
    }

    /// The reason and the address in `Program crashed: REASON at ADDRESS`, or `Swift runtime failure: …`.
    private static func title(in line: ArraySlice<UInt8>) -> (reason: ArraySlice<UInt8>, address: UInt64?)? {
        guard let sentence = self.sentence(in: line) else { return nil }
        if sentence.starts(with: "Swift runtime failure: ".utf8) { return (sentence, nil) }
        guard let reason = sentence.dropping("Program crashed: "), !reason.starts(with: "Signal ".utf8) else {
            return nil
        }
        guard let place = reason.lastRange(of: " at 0x") else { return (reason, nil) }
        return (reason[..<place.lowerBound], reason[place.upperBound...].hexNumber)
    }

    /// What stands between the marks of the backtracer's lines. On a terminal a line that tells what is going on comes
    /// first, and the report's own first line takes its place by a carriage return.
    private static func sentence(in line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard line.first == UInt8(ascii: "*") || line.first == 0xf0 else { return nil }
        let line = line.lastIndex(of: UInt8(ascii: "\r")).map { line[($0 + 1)...] } ?? line
        if let sentence = line.dropping("\u{1f4a3} ") { return sentence.trimmed }
        guard let sentence = line.dropping("*** ") else { return nil }
        return (sentence.trimmed.droppingSuffix("***") ?? sentence).trimmed
    }

    /// The number in the line that the runtime writes before it starts the backtracer:
    /// `*** Signal 4: Backtracing from 0x7f5f182f9361... done ***`.
    static func signal(in line: ArraySlice<UInt8>) -> Int? {
        guard line.starts(with: "*** ".utf8) || line.starts(with: "\u{1f4a3} ".utf8),
            let rest = line.after("Signal "), let digits = rest.leadingDigits, digits.count <= 3,
            rest[digits.endIndex...].starts(with: ": Backtracing from".utf8)
        else { return nil }
        return digits.decimalNumber.map(Int.init)
    }

    /// The name of the program by the first thread that has one, lengthened by the list of images where the kernel's
    /// 15 bytes of it were not enough.
    var program: String? {
        guard let name = self.threads.lazy.compactMap({ $0.name?.nonEmpty }).first else { return nil }
        return self.fullName(of: name)
    }

    /// The place of the crash as the end of a sentence: ` in FUNCTION + OFFSET at FILE:LINE:COLUMN`, or nothing.
    var place: String {
        let frames = self.threads.first(where: \.isCrashed)?.frames ?? []
        guard
            let index = frames.firstIndex(where: { $0.isOwn && $0.function != nil })
                ?? frames.firstIndex(where: { $0.isNamed && $0.function != nil }), index < self.symbols.count
        else { return "" }
        let function = " in \(self.symbols[index])"
        guard let file = frames[index].file, let line = frames[index].line else { return function }
        return "\(function) at \(file.lastPathComponent):\(line)" + (frames[index].column.map { ":\($0)" } ?? "")
    }

    func fullName(of command: String) -> String {
        guard command.utf8.count >= 15 else { return command }
        return self.images.lazy.map(\.path.lastPathComponent).first { $0.hasPrefix(command) } ?? command
    }
}

extension SwiftTextReport {
    private mutating func addLine(_ line: ArraySlice<UInt8>) {
        if let platform = line.dropping("Platform: ") {
            self.system = Self.system(platform)
        } else if let thread = Self.thread(line) {
            if self.threads.count < TextBounds.threadCount { self.threads.append(thread) }
            (self.isOmitting, self.nextNumber) = (false, 0)
        } else if line.elementsEqual("...".utf8) {
            self.isOmitting = true
        } else if let last = self.threads.indices.last, let frame = SwiftTextFrame(line),
            self.threads[last].frames.count < TextBounds.frameCount
        {
            // The number of the frame tells how many are left out before it.
            let omission = Crash.Frame.omission(of: frame.number &- self.nextNumber)
            for (frame, symbol) in (self.isOmitting ? [(omission, "")] : []) + [(frame.frame, frame.symbol)] {
                self.threads[last].frames.append(frame)
                if self.threads[last].isCrashed { self.symbols.append(symbol) }
            }
            (self.isOmitting, self.nextNumber) = (false, frame.number &+ 1)
        } else if let register = RegisterValues.first(in: line),
            let crashed = self.threads.firstIndex(where: \.isCrashed)
        {
            // Behind the value is what the memory holds to which it points.
            self.threads[crashed].addRegister(register)
        }
    }

    /// `x86_64 Linux (Debian GNU/Linux 12 (bookworm))`
    private static func system(_ platform: ArraySlice<UInt8>) -> Crash.System {
        let words = platform.trimmed.split(separator: 0x20, maxSplits: 2)
        let version = words.dropFirst(2).first.map { $0.dropping("(")?.droppingSuffix(")") ?? $0 }
        return Crash.System(
            name: words.dropFirst().first?.text, version: version?.text, architecture: words.first?.text)
    }

    /// `Thread 0 "shopd" crashed:`
    private static func thread(_ line: ArraySlice<UInt8>) -> Crash.Thread? {
        guard let rest = line.dropping("Thread ")?.droppingSuffix(":"), let digits = rest.leadingDigits else {
            return nil
        }
        let behind = rest[digits.endIndex...]
        let name = behind.firstIndex(of: UInt8(ascii: "\"")).flatMap { opening in
            behind.lastIndex(of: UInt8(ascii: "\"")).flatMap { $0 > opening ? behind[(opening + 1)..<$0] : nil }
        }
        return Crash.Thread(
            name: name?.text, number: digits.decimalNumber, isCrashed: behind.droppingSuffix(" crashed") != nil,
            frames: [])
    }

    /// `0x0000559561fd5000–0x0000559561fdf580 BUILD-ID NAME   PATH`
    private mutating func addImage(_ line: ArraySlice<UInt8>) {
        guard line.starts(with: "0x".utf8), self.images.count < Crash.Bounds.imageCount,
            let dash = line.range(of: "\u{2013}"), let base = line[..<dash.lowerBound].hexNumber
        else { return }
        let end = line[dash.upperBound...].prefix { $0 != 0x20 }
        var rest = line[end.endIndex...].trimmed
        var buildID: ArraySlice<UInt8>?
        if let without = rest.dropping("<no build ID>") {
            rest = without.trimmed
        } else {
            let word = rest.prefix { $0 != 0x20 }
            buildID = word
            rest = rest[word.endIndex...].trimmed
        }
        let path = rest.range(of: " /").map { rest[($0.lowerBound + 1)...] } ?? rest
        self.images.append(
            Crash.Image(
                path: path.text, buildID: buildID?.text.nonEmpty, baseAddress: base, endAddress: end.hexNumber))
    }

    /// Gives each frame the path of its image and its place in it, as far as the list of images has it.
    private mutating func nameModules() {
        guard !self.images.isEmpty else { return }
        var images: [String: Crash.Image] = [:]
        for image in self.images { images[image.path.lastPathComponent] = image }
        for thread in self.threads.indices {
            for index in self.threads[thread].frames.indices {
                let frame = self.threads[thread].frames[index]
                guard let image = frame.module.flatMap({ images[$0] }) else { continue }
                self.threads[thread].frames[index].module = image.path
                if let address = frame.address, let base = image.baseAddress, address >= base {
                    self.threads[thread].frames[index].moduleOffset = address - base
                }
                if frame.isOwn {
                    self.threads[thread].frames[index].isOwn = NativeOwnership.isOwn(
                        function: frame.function, file: frame.file, module: image.path)
                }
            }
        }
    }
}
