/// The stack of a PHP exception.
///
/// ```
/// #0 /srv/shop/public/index.php(44): Cart->add()
/// #1 [internal function]: {closure}(Array)
/// #2 {main}
/// ```
/// A line names a function and the place of the call, so the function's own place is that of the line before.
enum PHPStack {
    /// The frames in the lines of a stack, the innermost first, which is where the exception was thrown.
    static func frames(_ lines: ArraySlice<ArraySlice<UInt8>>, innermost: Crash.Frame) -> [Crash.Frame] {
        var frames: [Crash.Frame] = []
        var place = innermost
        for line in lines {
            guard let number = line.dropFirst().leadingDigits, let call = line[number.endIndex...].dropping(" ") else {
                break
            }
            if call.elementsEqual("{main}".utf8) {
                place.function = "{main}"
                frames.append(place)
                break
            }
            let end = call.range(of: "): ") ?? call.range(of: "]: ")
            guard let end else { break }
            place.function = self.function(call[end.upperBound...]).text.nonEmpty
            frames.append(place)
            place = self.place(call[..<end.lowerBound])
        }
        return frames
    }

    /// `FILE(LINE`, or `[internal function`.
    private static func place(_ text: ArraySlice<UInt8>) -> Crash.Frame {
        guard let opening = text.lastRange(of: "("), let line = text[opening.upperBound...].decimalNumber else {
            return Crash.Frame(isOwn: false)
        }
        let file = text[..<opening.lowerBound].text
        return Crash.Frame(file: file, line: line, isOwn: self.isOwn(file: file))
    }

    /// The name without the arguments. A closure's name is in braces and may hold parentheses.
    private static func function(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var depth = 0
        for (index, byte) in zip(text.indices, text) {
            switch byte {
            case UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "}"): depth -= 1
            case UInt8(ascii: "(") where depth <= 0: return text[..<index]
            default: break
            }
        }
        return text
    }

    /// Whether it is a file of the program, and neither of a package nor of PHP's libraries.
    static func isOwn(file: String) -> Bool {
        !file.contains("/vendor/") && !file.hasPrefix("/usr/share/php") && !file.hasPrefix("phar://")
    }
}
