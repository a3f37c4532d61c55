/// A protocol of valgrind in XML.
///
/// ```
/// <?xml version="1.0"?>
/// <valgrindoutput>
/// <pid>3107</pid>
/// <error> <kind>InvalidRead</kind> <what>Invalid read of size 4</what> <stack> <frame> … </frame> </stack> </error>
/// <fatal_signal> <signame>SIGSEGV</signame> … <stack> … </stack> </fatal_signal>
/// ```
/// Source: `docs/internals/xml-output-protocol4.txt` of valgrind.
enum ValgrindXMLFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("<valgrindoutput>")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        guard let place = places.first, text.lines[..<place].contains(where: { $0.starts(with: "<?xml".utf8) }) else {
            return nil
        }
        let bytes = Array(text.lines[place...].joined(separator: "\n".utf8))[...]
        let program = bytes.between("<argv>", "</argv>").flatMap { XMLElement.text("exe", in: $0) }
        let fatal = XMLElement.content("fatal_signal", in: bytes)
        let first = XMLElement.content("error", in: bytes)
        var crash: Crash?
        if let cause = fatal.flatMap(self.signalCause) ?? first.flatMap(self.errorCause) {
            crash = Crash(program: program?.lastPathComponent, cause: cause)
            crash?.process = XMLElement.text("pid", in: bytes).flatMap { Int64($0) }
            crash?.runtime = Crash.Runtime(name: "valgrind")
            let frames = (fatal ?? first).map(self.frames) ?? []
            if !frames.isEmpty { crash?.threads = [Crash.Thread(isCrashed: true, frames: frames)] }
        }
        let isCut = text.gap != nil || !bytes.contains("</valgrindoutput>")
        return TextFinding(
            diagnosis: Diagnosis(
                format: "valgrind-xml", contentType: "application/xml", kind: fatal == nil ? .diagnostic : .crash,
                summary: self.summary(of: bytes, program: program, firstError: first, isCut: isCut), crash: crash),
            severity: fatal == nil ? .finding : .fatal, line: place)
    }

    private static func summary(
        of bytes: ArraySlice<UInt8>, program: String?, firstError: ArraySlice<UInt8>?, isCut: Bool
    ) -> String {
        let process = XMLElement.text("pid", in: bytes).map { "[\($0)]" } ?? ""
        let tool = XMLElement.text("tool", in: bytes) ?? "valgrind"
        var summary = "\(program ?? "?")\(process) \(tool): \(self.errorCount(in: bytes))\(isCut ? "+" : "") error(s)"
        if let firstError {
            summary += ", first \(XMLElement.text("kind", in: firstError) ?? "?")"
            summary += XMLElement.text("fn", in: firstError).map { " in \($0)" } ?? ""
        }
        let signal = XMLElement.content("fatal_signal", in: bytes).flatMap { XMLElement.text("signame", in: $0) }
        return summary + (signal.map { ", \($0)" } ?? "")
    }

    private static func errorCount(in bytes: ArraySlice<UInt8>) -> Int {
        var rest = bytes
        var count = 0
        while let next = rest.after("<error>") {
            rest = next
            count += 1
        }
        return count
    }

    private static func signalCause(_ element: ArraySlice<UInt8>) -> Crash.Cause? {
        guard let name = XMLElement.text("signame", in: element) else { return nil }
        let address = XMLElement.text("siaddr", in: element).flatMap { Array($0.utf8)[...].hexNumber }
        var code: String?
        if name == "SIGSEGV", let number = XMLElement.text("sicode", in: element) {
            code = ["1": "SEGV_MAPERR", "2": "SEGV_ACCERR"][number]
        }
        return Crash.Cause(
            type: name, message: XMLElement.text("event", in: element), signal: name, code: code, address: address)
    }

    private static func errorCause(_ element: ArraySlice<UInt8>) -> Crash.Cause? {
        guard let kind = XMLElement.text("kind", in: element) else { return nil }
        let what = XMLElement.text("what", in: element) ?? XMLElement.text("text", in: element)
        return Crash.Cause(type: kind, message: what)
    }

    /// The frames of the first stack.
    private static func frames(in element: ArraySlice<UInt8>) -> [Crash.Frame] {
        guard var rest = XMLElement.content("stack", in: element) else { return [] }
        var frames: [Crash.Frame] = []
        while let content = XMLElement.content("frame", in: rest), frames.count < TextBounds.frameCount {
            rest = rest[content.endIndex...]
            let directory = XMLElement.text("dir", in: content)
            let name = XMLElement.text("file", in: content)
            let file = Words.join(directory, name, separator: "/").nonEmpty
            let function = XMLElement.text("fn", in: content)
            let module = XMLElement.text("obj", in: content)
            var frame = Crash.Frame(
                function: function, file: name == nil ? nil : file,
                line: XMLElement.text("line", in: content).flatMap { Int64($0) }, module: module,
                address: XMLElement.text("ip", in: content).flatMap { Array($0.utf8)[...].hexNumber },
                isOwn: ValgrindFrame.isOwn(function: function, file: name, module: module))
            frame.isReturnAddress = false
            frames.append(frame)
        }
        return frames
    }
}
