/// A line of a stack in a text of Swift's backtracer: number, marks in brackets, the address unless it is left out, the
/// function, the image, and the place in the source where there is one.
///
/// ```
///   1 [ra] [inlined]   0x0000559561fddce8 level3(_:) + 295 in shopd at src/main.swift:14:47
/// ```
struct SwiftTextFrame {
    let number: Int64
    let frame: Crash.Frame
    /// The function as the backtracer prints it, with the offset into it.
    let symbol: String

    /// - Returns: `nil` for a line that is no frame.
    init?(_ line: ArraySlice<UInt8>) {
        guard line.first?.isBlank == true else { return nil }
        let line = line.trimmed
        // Excerpts of the source begin with a number as well, but no blank follows it.
        guard let digits = line.leadingDigits, line[digits.endIndex...].first == 0x20,
            let number = digits.decimalNumber
        else { return nil }
        self.number = number
        var rest = line[digits.endIndex...].trimmed
        var (isAdded, isReturnAddress, isInlined) = (false, false, false)
        while rest.first == UInt8(ascii: "["), let end = rest.firstIndex(of: UInt8(ascii: "]")) {
            let mark = rest[...end].text
            isAdded = isAdded || mark == "[system]" || mark == "[thunk]"
            isReturnAddress = isReturnAddress || mark == "[ra]"
            isInlined = isInlined || mark == "[inlined]"
            rest = rest[(end + 1)...].trimmed
        }
        var address: UInt64?
        if rest.starts(with: "0x".utf8) {
            let word = rest.prefix { $0 != 0x20 }
            address = word.hexNumber
            rest = rest[word.endIndex...].trimmed
        }
        let parts = Self.parts(rest)
        guard parts.image != nil || address != nil else { return nil }
        self.symbol = parts.function.text
        let function = FunctionName.plain(parts.function)
        let location = parts.location.flatMap { SourceLocation($0) }
        let image = parts.image?.text
        var frame = Crash.Frame(
            function: function, file: location?.file, line: location?.line, column: location?.column, module: image,
            address: address,
            isOwn: !isAdded && !parts.function.starts(with: "Swift runtime failure: ".utf8)
                && SwiftRuntime.isProgram(image: image ?? "", function: function ?? "")
                && NativeOwnership.isOwn(function: function, file: location?.file, module: image))
        frame.isReturnAddress = isReturnAddress
        frame.isInlined = isInlined
        let offset = parts.function.lastRange(of: " + ").flatMap { parts.function[$0.upperBound...].decimalNumber }
        frame.symbolAddress = offset.flatMap { SwiftRuntime.symbolAddress(of: frame, offset: UInt64($0)) }
        self.frame = frame
    }

    /// `FUNCTION in IMAGE at PLACE`, where each part but the first may be missing.
    private static func parts(
        _ text: ArraySlice<UInt8>
    ) -> (function: ArraySlice<UInt8>, image: ArraySlice<UInt8>?, location: ArraySlice<UInt8>?) {
        if let behind = text.dropping("in ") { return ([], behind.before(" at ") ?? behind, behind.after(" at ")) }
        // The name of a closure has the word itself: `closure #1 in settle(_:) + 75 in shopd`.
        guard let separator = text.lastRange(of: " in ") else { return (text, nil, nil) }
        let place = text[separator.upperBound...]
        return (text[..<separator.lowerBound], place.before(" at ") ?? place, place.after(" at "))
    }
}
