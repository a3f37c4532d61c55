/// A line by which the kernel tells that it has ended a process: for a fault of the process, or to free memory.
///
/// ```
/// billing[3155]: segfault at 28 ip 000055d0c1a01139 sp 00007ffd4a1b2c30 error 4 in billing[55d0c1a01000+1000]
/// traps: billing[3155] trap invalid opcode ip:55d0c1a01139 sp:7ffd4a1b2c30 error:0 in billing[55d0c1a01000+1000]
/// billing[3155]: unhandled level 2 translation fault (11) at 0x00000028, esr 0x92000006, in billing[55d0c1a01000+1000]
/// Out of memory: Killed process 2841 (java) total-vm:8123456kB, anon-rss:…
/// ```
struct KernelProcessEnd {
    let format: String
    private(set) var crash: Crash

    /// Reads the line.
    init?(_ line: ArraySlice<UInt8>) {
        if let crash = Self.killed(line) {
            (self.format, self.crash) = ("kernel-oom", crash)
        } else if let crash = Self.fault(line) ?? Self.trap(line) ?? Self.translationFault(line) {
            (self.format, self.crash) = ("kernel-segfault", crash)
        } else {
            return nil
        }
        self.crash.system.name = "Linux"
    }

    private static func killed(_ line: ArraySlice<UInt8>) -> Crash? {
        let victim =
            line.dropping("Out of memory: Killed process ") ?? line.dropping("Out of memory: Kill process ")
            ?? line.dropping("Memory cgroup out of memory: Killed process ")
            ?? line.dropping("Memory cgroup out of memory: Kill process ")
        guard let victim, let process = victim.leadingDigits, let name = victim[process.endIndex...].dropping(" ("),
            let end = [") total-vm:", "), UID ", ") score "].lazy.compactMap({ name.range(of: $0) }).first
        else { return nil }
        let size = name[end.lowerBound...].after("total-vm:")
        let shortSize = size.map { "total-vm:\(($0.before(", UID") ?? $0.before(", oom_score") ?? $0).trimmed.text)" }
        let isOfGroup = line.first == UInt8(ascii: "M")
        return Crash(
            program: name[..<end.lowerBound].text, process: process.decimalNumber,
            cause: Crash.Cause(
                type: isOfGroup ? "Memory cgroup out of memory" : "Out of memory",
                message: shortSize, signal: "SIGKILL"))
    }

    /// `NAME[PROCESS]` before a text, up to 15 bytes of a name.
    private static func process(in text: ArraySlice<UInt8>) -> (name: String, process: Int64)? {
        guard text.last == UInt8(ascii: "]"), let bracket = text.lastIndex(of: UInt8(ascii: "[")),
            let number = text[(bracket + 1)...].dropLast().decimalNumber, (1...15).contains(bracket - text.startIndex)
        else { return nil }
        return (text[..<bracket].text, number)
    }

    private static func fault(_ line: ArraySlice<UInt8>) -> Crash? {
        guard let verb = line.prefix(64).range(of: ": segfault at "),
            let process = self.process(in: line[..<verb.lowerBound])
        else { return nil }
        let words = line[verb.upperBound...].split(separator: 0x20).prefix(8)
        guard words.count >= 7, words[1].elementsEqual("ip".utf8), words[3].elementsEqual("sp".utf8),
            words[5].elementsEqual("error".utf8), let address = words[0].hexNumber
        else { return nil }
        var cause = Crash.Cause(
            type: "SIGSEGV", message: "segfault at 0x\(String(address, radix: 16))", signal: "SIGSEGV")
        cause.address = address
        // Bit 0 of the error tells a page that is there from one that is not; bit 1, that it was a write.
        cause.code = words[6].hexNumber.map { $0 & 1 == 0 ? "SEGV_MAPERR" : "SEGV_ACCERR" }
        return self.crash(process, cause, counter: words[2].hexNumber, place: line.after(" in "))
    }

    private static func trap(_ line: ArraySlice<UInt8>) -> Crash? {
        guard let rest = line.dropping("traps: "), let gap = rest.range(of: "] "),
            let process = self.process(in: rest[..<(gap.lowerBound + 1)]), let counter = rest.range(of: " ip:"),
            gap.upperBound <= counter.lowerBound, rest[counter.upperBound...].contains(" sp:")
        else { return nil }
        let text = rest[gap.upperBound..<counter.lowerBound]
        let name = text.dropping("trap ") ?? text
        let signal: String? =
            switch name.text {
            case "invalid opcode": "SIGILL"
            case "divide error": "SIGFPE"
            case "int3": "SIGTRAP"
            case "general protection fault", "general protection", "stack segment": "SIGSEGV"
            default: nil
            }
        let cause = Crash.Cause(type: signal ?? name.text, message: name.text, signal: signal)
        let address = rest[counter.upperBound...].prefix { $0 > 0x20 }.hexNumber
        return self.crash(process, cause, counter: address, place: rest.after(" in "))
    }

    private static func translationFault(_ line: ArraySlice<UInt8>) -> Crash? {
        guard let verb = line.prefix(64).range(of: ": unhandled "),
            let process = self.process(in: line[..<verb.lowerBound]), let at = line.range(of: " at 0x")
        else { return nil }
        let kind = line[verb.upperBound..<max(verb.upperBound, at.lowerBound)]
        let number = (kind.between("(", ")") ?? kind.after("signal ")?.leadingDigits)?.decimalNumber
        guard let number, (1...31).contains(number) else { return nil }
        let signal = SignalName.linux(Int(number))
        var cause = Crash.Cause(type: signal, message: line[(verb.lowerBound + 2)...].before(",")?.text, signal: signal)
        cause.address = line[at.upperBound...].prefix { $0.hexValue != nil }.hexNumber
        return self.crash(process, cause, counter: nil, place: line.after(", in ") ?? line.after(" in "))
    }

    /// The place is `FILE[BASE+SIZE]`, or `FILE[OFFSET,BASE+SIZE]` since Linux 6.7.
    private static func crash(
        _ process: (name: String, process: Int64), _ cause: Crash.Cause, counter: UInt64?, place: ArraySlice<UInt8>?
    ) -> Crash {
        var crash = Crash(program: process.name, process: process.process, cause: cause)
        var frame = Crash.Frame(address: counter, isOwn: false)
        if let place, let bracket = place.firstIndex(of: UInt8(ascii: "[")) {
            let file = place[..<bracket]
            frame.module = file.text.nonEmpty
            frame.isOwn = file.prefix(15).elementsEqual(process.name.utf8)
            let mapping = place[(bracket + 1)...].prefix { $0 != UInt8(ascii: "]") }
            if let offset = mapping.before(",") {
                frame.moduleOffset = offset.hexNumber
            } else if let counter, let base = mapping.before("+")?.hexNumber, counter >= base {
                frame.moduleOffset = counter - base
            }
        }
        if frame.address != nil || frame.module != nil {
            crash.threads = [Crash.Thread(isCrashed: true, frames: [frame])]
        }
        return crash
    }
}
