/// The report of the library backward-cpp: a stack with the outermost function first, and the signal below it.
///
/// ```
/// Stack trace (most recent call last) in thread 3144:
/// #2    Object "/srv/shop/bin/shopd", at 0x55d1c2a1f910, in main
/// #1    Source "/srv/shop/src/ledger.cc", line 12, in settle(int) [0x55d1c2a1f3b4]
///          11:   int *total = find(id);
///       >  12:   return *total;
/// Segmentation fault (Address not mapped to object [0x18])
/// ```
enum BackwardStackFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("Stack trace (most recent call last)")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            var frames: [Crash.Frame] = []
            var headline: SignalHeadline?
            for line in text.lines[(place + 1)...].prefix(TextBounds.frameCount) {
                if let frame = self.frame(line) {
                    frames.append(frame)
                } else if line.first?.isBlank != true, !line.isEmpty {
                    headline = SignalHeadline(line)
                    break
                }
            }
            guard let headline, !frames.isEmpty else { continue }
            frames.reverse()
            var crash = Crash(
                program: NativeStack.program(of: frames) ?? text.origin?.name, process: text.origin?.process,
                cause: headline.cause)
            crash.threads = [
                Crash.Thread(
                    number: text.lines[place].after("in thread ")?.leadingDigits?.decimalNumber, isCrashed: true,
                    frames: frames)
            ]
            return TextFinding(crash, format: "signal-stack", line: place)
        }
        return nil
    }

    private static func frame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard let digits = line.dropping("#")?.leadingDigits else { return nil }
        let rest = line[digits.endIndex...].trimmed
        let symbol = rest.after(", in ")
        let function = symbol.flatMap { FunctionName.plain($0.before(" [0x") ?? $0) }
        if let object = rest.between("Object \"", "\"") {
            let address = rest.after("at 0x")?.prefix { $0.hexValue != nil }.hexNumber
            return Crash.Frame(
                function: function, module: object.text, address: address,
                isOwn: NativeOwnership.isOwn(function: function, module: object.text))
        }
        guard let file = rest.between("Source \"", "\"") else { return nil }
        return Crash.Frame(
            function: function, file: file.text, line: rest.after(", line ")?.leadingDigits?.decimalNumber,
            isOwn: NativeOwnership.isOwn(function: function, file: file.text))
    }
}
