/// A line of a stack as gdb writes it.
///
/// ```
/// #0  0x000055d1c2a1f3b4 in drawer_kick (port=0x0) at src/drawer.c:57
/// #1  settle (m=0x7fffffffe9ef "segv") at misc.cpp:22
/// #2  0x00007f0c6f4c1d7f in poll () from /lib/x86_64-linux-gnu/libc.so.6
/// #3  <signal handler called>
/// ```
/// Source: `print_frame` in `gdb/stack.c`.
struct GdbFrame {
    let number: Int64
    let frame: Crash.Frame

    /// - Returns: `nil` for a line that is no frame.
    init?(_ line: ArraySlice<UInt8>) {
        guard line.first == UInt8(ascii: "#"), let digits = line.dropFirst().leadingDigits, digits.count <= 6,
            let number = digits.decimalNumber
        else { return nil }
        // The number is padded to three columns, so a short one has two blanks behind it.
        let behind = line[digits.endIndex...]
        guard behind.first == 0x20, digits.count > 1 || behind.dropFirst().first == 0x20 else { return nil }
        self.number = number
        var rest = behind.trimmed
        var address: UInt64?
        if rest.starts(with: "0x".utf8), let mark = rest.range(of: " in ") {
            address = rest[..<mark.lowerBound].hexNumber
            rest = rest[mark.upperBound...]
        }
        guard let name = Self.name(rest) else {
            // `<signal handler called>` is the border to the code that was interrupted.
            guard rest.first == UInt8(ascii: "<") else { return nil }
            self.frame = Crash.Frame(function: rest.text, isOwn: false)
            return
        }
        let place = rest[name.endIndex...]
        // gdb names the line or else the module. The texts among the arguments may hold either word.
        let (at, from) = (place.lastRange(of: ") at "), place.lastRange(of: ") from "))
        let isInModule = (from?.lowerBound ?? 0) > (at?.lowerBound ?? 0)
        let location = isInModule ? nil : at.flatMap { SourceLocation(place[$0.upperBound...]) }
        let module = isInModule ? from.map { place[$0.upperBound...].trimmed.text } : nil
        let function = FunctionName.plain(name)
        self.frame = Crash.Frame(
            function: function, file: location?.file, line: location?.line, module: module, address: address,
            isOwn: NativeOwnership.isOwn(function: function, file: location?.file, module: module))
    }

    /// The function: up to the arguments, which stand behind a blank. Arguments of templates have blanks and brackets
    /// of their own.
    private static func name(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var depth = 0
        var previous: UInt8 = 0
        for (index, byte) in zip(text.indices, text.prefix(8_192)) {
            switch byte {
            case UInt8(ascii: "<"): depth += 1
            case UInt8(ascii: ">"): if previous != UInt8(ascii: "-") { depth -= 1 }
            case UInt8(ascii: "(") where previous == 0x20 && depth <= 0: return text[..<(index - 1)]
            default: break
            }
            previous = byte
        }
        // An operator such as `operator<` opens what nothing closes.
        return text.range(of: " (").map { text[..<$0.lowerBound] }
    }
}
