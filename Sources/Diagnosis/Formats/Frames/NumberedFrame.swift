/// A line of a stack as the sanitizers and LLVM write it.
///
/// ```
///     #0 0x55c009577202 in total /srv/shop/src/a.c:4:9
///     #1 0x55f293289f98  (/srv/shop/bin/a+0x127f98) (BuildId: 93ac61ec5a8eb139)
///     #2 worker(void*) /srv/shop/src/main.cc:31:5 (stockd+0xd7102)
///  #3 0x000055f293289f98 llvm::sys::PrintStackTrace(llvm::raw_ostream&, int) (/opt/bin/cc+0x9f98)
/// ```
/// Source: `sanitizer_stacktrace_printer.cpp` (the default format and that of the thread sanitizer), and LLVM's
/// `Signals.cpp`.
struct NumberedFrame {
    /// The number in front: 0 begins a stack.
    let number: Int64
    let frame: Crash.Frame
    /// The build id of the frame's module.
    let buildID: String?

    /// - Returns: `nil` for a line that is no frame.
    init?(_ line: ArraySlice<UInt8>) {
        let line = line.trimmed
        guard line.first == UInt8(ascii: "#"), let digits = line.dropFirst().leadingDigits, digits.count <= 6,
            let number = digits.decimalNumber, line[digits.endIndex...].first?.isBlank == true
        else { return nil }
        self.number = number
        var rest = line[digits.endIndex...].trimmed
        var address: UInt64?
        if rest.starts(with: "0x".utf8) {
            let word = rest.prefix { !$0.isBlank }
            address = word.hexNumber
            rest = rest[word.endIndex...].trimmed
        }
        guard address != nil || !rest.isEmpty else { return nil }
        rest = rest.dropping("in ") ?? rest
        self.buildID = Self.takeBuildID(&rest)
        let (module, offset) = Self.takeModule(&rest)
        let location = Self.takeLocation(&rest)
        let function = FunctionName.plain(rest)
        self.frame = Crash.Frame(
            function: function, file: location?.file, line: location?.line, column: location?.column, module: module,
            address: address, moduleOffset: offset,
            isOwn: NativeOwnership.isOwn(function: function, file: location?.file, module: module))
    }

    /// Takes ` (BuildId: 93ac61ec5a8eb139)` off the end.
    private static func takeBuildID(_ rest: inout ArraySlice<UInt8>) -> String? {
        guard let mark = rest.lastRange(of: "(BuildId: "), let end = rest.droppingSuffix(")") else { return nil }
        let digits = end[mark.upperBound...]
        rest = rest[..<mark.lowerBound].trimmed
        return digits.allSatisfy { $0.hexValue != nil } ? digits.text.lowercased().nonEmpty : nil
    }

    /// Takes ` (MODULE+0x127f98)` off the end.
    private static func takeModule(_ rest: inout ArraySlice<UInt8>) -> (path: String?, offset: UInt64?) {
        guard let inner = rest.droppingSuffix(")"), let plus = inner.lastRange(of: "+0x"),
            let offset = inner[plus.upperBound...].hexNumber,
            let opening = inner[..<plus.lowerBound].lastRange(of: "(")
        else { return (nil, nil) }
        let path = inner[opening.upperBound..<plus.lowerBound]
        guard !path.isEmpty, opening.lowerBound == rest.startIndex || rest[opening.lowerBound - 1] == 0x20 else {
            return (nil, nil)
        }
        rest = rest[..<opening.lowerBound].trimmed
        return (path.text, offset)
    }

    /// Takes ` FILE:LINE:COLUMN`, a bare path or ` <null>` off the end.
    private static func takeLocation(
        _ rest: inout ArraySlice<UInt8>
    ) -> (file: String, line: Int64?, column: Int64?)? {
        guard let blank = rest.lastIndex(of: 0x20) else { return nil }
        let word = rest[(blank + 1)...]
        if word.elementsEqual("<null>".utf8) {
            rest = rest[..<blank].trimmed
            return nil
        }
        if let location = SourceLocation(word) {
            rest = rest[..<blank].trimmed
            return (location.file, location.line, location.column)
        }
        guard word.first == UInt8(ascii: "/") else { return nil }
        rest = rest[..<blank].trimmed
        return (word.text, nil, nil)
    }
}
