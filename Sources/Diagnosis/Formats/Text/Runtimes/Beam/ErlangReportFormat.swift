/// The report of an Erlang process that died by an error, as the machine's logger writes it. The machine goes on.
///
/// ```
/// =CRASH REPORT==== 28-Nov-2026::08:13:04.123456 ===
///   crasher:
///     initial call: till:init/1
///     pid: <0.99.0>
///     registered_name: till
///     exception error: no function clause matching till:price(undefined) (src/till.erl, line 12)
///       in function  gen_server:try_handle_call/4 (gen_server.erl, line 1131)
/// ```
/// `Error in process <0.99.0> with exit value:` and `** Reason for termination ==` are followed by a term.
/// Source: `proc_lib:report_cb`, `gen_server:report_cb` and `erts/emulator/beam/beam_common.c`.
enum ErlangReportFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("=CRASH REPORT===="), .beginning("Error in process <"), .beginning("** Reason for termination ="),
    ]

    /// How many lines of a report are read.
    private static let lineCount = 64

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.reversed() {
            let report = text.lines[place...].prefix(self.lineCount)
            guard let crash = self.crashReport(report) ?? self.term(report) else { continue }
            return crash.finding(in: text)
        }
        return nil
    }

    private static func crash(
        _ cause: Crash.Cause, process: String?, frames: [Crash.Frame], line: Int
    ) -> RuntimeCrash {
        RuntimeCrash(
            format: "erlang-report", subject: "erlang", runtime: Crash.Runtime(name: "Erlang/OTP"), cause: cause,
            threads: [Crash.Thread(name: process, isCrashed: true, frames: frames)], line: line)
    }

    private static func crashReport(_ lines: ArraySlice<ArraySlice<UInt8>>) -> RuntimeCrash? {
        guard lines.first?.starts(with: "=CRASH REPORT====".utf8) == true,
            let start = lines.firstIndex(where: { $0.starts(with: "    exception ".utf8) }),
            let title = lines[start].dropping("    exception "), let colon = title.range(of: ": ")
        else { return nil }
        let names = lines.lazy.compactMap { $0.dropping("    registered_name: ") }
        let name = names.first.flatMap { $0.elementsEqual("[]".utf8) ? nil : $0.text }
        var frames: [Crash.Frame] = []
        for line in lines[start...] {
            let content = line.trimmed
            let call =
                content.dropping("in function ") ?? content.dropping("in call from ")
                ?? (frames.isEmpty ? title.after("function clause matching ") : nil)
            if let frame = call.flatMap({ self.frame($0.trimmed) }) { frames.append(frame) }
        }
        let type = "exception \(title[..<colon.lowerBound].text)"
        return self.crash(
            Crash.Cause(type: type, message: title[colon.upperBound...].text), process: name, frames: frames,
            line: lines.startIndex)
    }

    /// `MODULE:FUNCTION/ARITY (FILE, line NUMBER)`; a function that no clause matched has its arguments instead.
    private static func frame(_ text: ArraySlice<UInt8>) -> Crash.Frame? {
        let name = text.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "(") && $0 != 0x20 }
        guard name.contains(UInt8(ascii: ":")) else { return nil }
        let arity = text[name.endIndex...].dropping("/")?.leadingDigits ?? []
        let place = text.lastRange(of: " (").map { text[$0.upperBound...] }
        let comma = place?.range(of: ", line ")
        let line = comma.flatMap { place?[$0.upperBound...].leadingDigits?.decimalNumber }
        let file = comma.flatMap { place?[..<$0.lowerBound].text }
        return BeamStack.erlangFrame(name.text, arity: arity, file: file, line: line)
    }

    /// A reason as a term, on the line behind the title: `{badarith,[{till,price,1,[{file,"src/till.erl"},{line,12}]}]}`.
    private static func term(_ lines: ArraySlice<ArraySlice<UInt8>>) -> RuntimeCrash? {
        guard let title = lines.first, let next = lines.dropFirst().first else { return nil }
        let isProcess = title.starts(with: "Error in process <".utf8) && title.contains(" with exit value:")
        let isServer = title.starts(with: "** Reason for termination =".utf8)
        guard isProcess || isServer else { return nil }
        let term = (next.dropping("** ") ?? next).trimmed
        guard let inner = term.dropping("{") else { return nil }
        let rest = lines.dropFirst(2).prefix { $0.first == 0x20 || $0.starts(with: "** ".utf8) }
        let whole = (Array(term) + rest.flatMap { $0.trimmed })[...]
        let frames = BeamStack.erlangFrames(in: whole)
        guard !frames.isEmpty else { return nil }
        let reason = inner.before(",[") ?? inner
        return self.crash(
            Crash.Cause(type: reason.text), process: isProcess ? title.between("<", ">").map { "<\($0.text)>" } : nil,
            frames: frames, line: lines.startIndex)
    }
}
