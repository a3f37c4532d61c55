/// The death of a Perl script, in the forms that cannot be mistaken: a stack of the module Carp, a program that cannot
/// be compiled, and what `use diagnostics` makes of an exception.
///
/// ```
/// boom at bin/till.pl line 3.
///         main::settle(HASH(0x55d0), 1) called at bin/till.pl line 7
///         main::run() called at bin/till.pl line 10
/// ```
/// A program that only warns with a stack goes on, so lines behind the stack make it a finding. A death without a stack
/// is one line that any warning has as well. Source: `Carp.pm`, and `perl.c` for `BEGIN failed`.
enum PerlFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("\t"), .beginning("BEGIN failed--compilation aborted"), .beginning("Execution of "),
        .beginning("Uncaught exception from user code:"),
    ]

    static let words = [
        " called at ", "BEGIN failed--compilation aborted", "Execution of ", "Uncaught exception from user code:",
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        var worst: RuntimeCrash?
        var end = 0
        for place in places where place >= end {
            guard let crash = self.crash(at: place, in: text.lines, end: &end) else { continue }
            if crash.kind == .crash || worst?.kind != .crash { worst = crash }
        }
        return worst?.finding(in: text)
    }

    private static func crash(at place: Int, in lines: [ArraySlice<UInt8>], end: inout Int) -> RuntimeCrash? {
        let line = lines[place]
        if line.first == UInt8(ascii: "\t") {
            guard line.contains(" called at "), place > 0, let death = self.death(lines[place - 1]) else { return nil }
            let calls = lines[place...].prefix { self.call($0) != nil }
            guard !calls.isEmpty else { return nil }
            end = calls.endIndex
            let goesOn = lines[end...].prefix(8).contains { !$0.isBlank }
            return self.crash(
                "die", death, frames: self.frames(of: calls, innermost: death.place), isCrash: !goesOn, at: place - 1)
        }
        if line.starts(with: "Uncaught exception".utf8) {
            guard place + 1 < lines.count, let death = self.death(lines[place + 1].trimmed) else { return nil }
            let calls = lines[(place + 2)...].prefix { self.call($0) != nil }
            end = calls.endIndex
            return self.crash(
                "Uncaught exception", death, frames: self.frames(of: calls, innermost: death.place), at: place)
        }
        let isEnd = line.droppingSuffix(" aborted due to compilation errors.") != nil
        guard isEnd || self.death(line) != nil, place > 0, let death = self.death(lines[place - 1]) else { return nil }
        end = place + 1
        return self.crash("compilation aborted", death, frames: [death.place], at: place - 1)
    }

    private static func crash(
        _ type: String, _ death: (message: String, place: Crash.Frame), frames: [Crash.Frame], isCrash: Bool = true,
        at index: Int
    ) -> RuntimeCrash {
        RuntimeCrash(
            format: "perl-die", subject: "perl", runtime: Crash.Runtime(name: "Perl"),
            cause: Crash.Cause(type: type, message: death.message),
            threads: [Crash.Thread(isCrashed: true, frames: frames)], kind: isCrash ? .crash : .diagnostic, line: index)
    }

    /// `MESSAGE at FILE line NUMBER.`, with more behind the number when a file was being read.
    private static func death(_ line: ArraySlice<UInt8>) -> (message: String, place: Crash.Frame)? {
        guard line.first.map({ $0 > 0x20 }) == true, let (message, place) = self.place(line, " at ") else { return nil }
        // The folders that were searched for a module say nothing about the fault.
        return ((message.before(" (@INC ") ?? message).text, place)
    }

    /// Takes ` at FILE line NUMBER` off the end.
    private static func place(
        _ line: ArraySlice<UInt8>, _ word: String
    ) -> (rest: ArraySlice<UInt8>, place: Crash.Frame)? {
        guard let number = line.lastRange(of: " line "), let digits = line[number.upperBound...].leadingDigits,
            let at = line[..<number.lowerBound].lastRange(of: word)
        else { return nil }
        let behind = line[digits.endIndex...].first
        guard behind == nil || behind == UInt8(ascii: ".") || behind == UInt8(ascii: ",") else { return nil }
        let file = line[at.upperBound..<number.lowerBound].text
        let isOwn = !self.folders.contains { file.contains($0) }
        return (line[..<at.lowerBound], Crash.Frame(file: file, line: digits.decimalNumber, isOwn: isOwn))
    }

    /// Where the modules of Perl itself and those of CPAN are.
    private static let folders = ["/perl5/", "/share/perl/", "/lib/perl", "/perl-base/", "/local/lib/perl"]

    /// A line of Carp's stack: `FUNCTION(ARGUMENTS) called at FILE line NUMBER`.
    private static func call(_ line: ArraySlice<UInt8>) -> (function: String, place: Crash.Frame)? {
        guard line.first == UInt8(ascii: "\t"), let (call, place) = self.place(line.trimmed, " called at ") else {
            return nil
        }
        return ((call.before("(") ?? call).text, place)
    }

    /// A line names a function and the place of the call, so the function's own place is that of the line before.
    private static func frames(
        of calls: ArraySlice<ArraySlice<UInt8>>, innermost: Crash.Frame
    ) -> [Crash.Frame] {
        var frames: [Crash.Frame] = []
        var place = innermost
        for (function, next) in calls.lazy.compactMap(self.call) {
            place.function = function
            frames.append(place)
            place = next
        }
        return frames + [place]
    }
}
