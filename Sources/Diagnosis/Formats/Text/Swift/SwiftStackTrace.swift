/// The stack that Swift's runtime writes itself where the backtracer is off.
///
/// ```
/// Current stack trace:
/// 3    libswiftCore.so     0x00007f55d26f9280 _assertionFailure(_:_:file:line:flags:) + 221
/// 4    shopd               0x000056112d33d9fe <unavailable> + 6654
/// ```
/// Source: `dumpStackTraceEntry` in `stdlib/public/runtime/Errors.cpp`.
enum SwiftStackTrace {
    static func frames(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        var frames: [Crash.Frame] = []
        for line in lines {
            guard frames.count < TextBounds.frameCount, let frame = self.frame(line) else { break }
            frames.append(frame)
        }
        return frames
    }

    private static func frame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard let number = line.leadingDigits, let place = line.range(of: " 0x") else { return nil }
        let module = line[number.endIndex..<place.lowerBound].trimmed
        let address = line[place.upperBound...].prefix { $0 != 0x20 }
        guard !module.isEmpty, let value = address.hexNumber else { return nil }
        let symbol = line[address.endIndex...].trimmed
        let function = FunctionName.plain(symbol)
        // The offset behind a name counts from the function, and behind no name from the module.
        let offset = function == nil ? symbol.after("> + ")?.decimalNumber : nil
        return Crash.Frame(
            function: function, module: module.text, address: value, moduleOffset: offset.map(UInt64.init),
            isOwn: SwiftRuntime.isProgram(image: module.text, function: function ?? "")
                && NativeOwnership.isOwn(function: function, module: module.text))
    }
}
