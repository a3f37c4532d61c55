/// The report of Ruby's interpreter about a fault of its own, or of an extension that is written in C.
///
/// ```
/// /srv/shop/lib/codec.rb:12: [BUG] Segmentation fault at 0x0000000000000050
/// ruby 3.3.6 (2024-11-05 revision 75015d4c1f) [x86_64-linux]
///
/// -- Ruby level backtrace information ----------------------------------------
/// /srv/shop/bin/till:5:in `<main>'
/// /srv/shop/lib/codec.rb:12:in `decode'
///
/// -- C level backtrace information -------------------------------------------
/// /usr/lib/libruby.so.3.3(rb_vm_bugreport+0x5a3) [0x7f5c1e2d9d03] vm_dump.c:1140
/// ```
/// Source: `rb_bug` in `error.c`, and `vm_dump.c`.
enum RubyBugFormat: TextFormat {
    static let marks: [LineMark] = [.containing("[BUG] ")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            guard let message = text.lines[place].after("[BUG] ")?.trimmed,
                let version = text.lines[(place + 1)...].prefix(3).lazy.compactMap({ $0.dropping("ruby ") }).first
            else { continue }
            let report = text.lines[(place + 1)...]
            let script = self.rubyFrames(in: report)
            let frames = script.isEmpty ? self.nativeFrames(in: report) : script
            var crash = RuntimeCrash(
                format: "ruby-bug", subject: "ruby",
                runtime: Crash.Runtime(name: "Ruby", version: version.prefix { $0 > 0x20 }.text),
                cause: self.cause(message),
                threads: [Crash.Thread(isCrashed: true, frames: frames)], severity: .fatal, line: place)
            let path = report.lazy.compactMap { $0.dropping("* Loaded script: ") }.first
            crash.program = path?.trimmed.lastPathComponent.text.nonEmpty
            let platform = version.between("[", "]")?.split(separator: UInt8(ascii: "-"), maxSplits: 1) ?? []
            crash.system.architecture = platform.first?.text
            if platform.last?.starts(with: "linux".utf8) == true { crash.system.name = "Linux" }
            return crash.finding(in: text)
        }
        return nil
    }

    private static func cause(_ message: ArraySlice<UInt8>) -> Crash.Cause {
        let signals = ["Segmentation fault": "SIGSEGV", "Bus Error": "SIGBUS", "Illegal instruction": "SIGILL"]
        let signal = signals.first { message.starts(with: $0.key.utf8) }?.value
        let address = message.after(" at 0x").flatMap { $0.prefix { $0.hexValue != nil }.hexNumber }
        return Crash.Cause(type: "[BUG]", message: message.text, signal: signal, address: signal == nil ? nil : address)
    }

    /// The lines of a section of the report.
    private static func section(
        _ title: String, in lines: ArraySlice<ArraySlice<UInt8>>
    ) -> ArraySlice<ArraySlice<UInt8>> {
        guard let start = lines.firstIndex(where: { $0.starts(with: title.utf8) }) else { return [] }
        return lines[(start + 1)...].prefix { !$0.starts(with: "-- ".utf8) && !$0.isBlank }
    }

    /// The stack of the Ruby program, which stands in the report with the outermost frame first.
    private static func rubyFrames(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        let section = self.section("-- Ruby level backtrace information", in: lines)
        return RubyFrame.withoutBuiltIns(section.compactMap { RubyFrame($0)?.frame }.reversed())
    }

    /// The stack of the interpreter: `MODULE(FUNCTION+OFFSET) [ADDRESS] PLACE`.
    private static func nativeFrames(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        self.section("-- C level backtrace information", in: lines).compactMap { line in
            guard let module = line.before("("), let place = line.between("(", ")"),
                let address = line.between(" [0x", "]")?.hexNumber
            else { return nil }
            let function = (place.before("+") ?? place).text.nonEmpty
            let isOwn =
                !module.starts(with: "/usr/".utf8) && !module.starts(with: "/lib".utf8)
                && !module.contains("/gems/") && !module.contains("ruby")
            return Crash.Frame(function: function, module: module.text, address: address, isOwn: isOwn)
        }
    }
}
