/// A line of a stack as the C library's `backtrace_symbols` writes it.
///
/// ```
/// /srv/shop/bin/stockd(settle+0x1a) [0x55f293289f98]
/// /lib/x86_64-linux-gnu/libc.so.6(+0x777e5)[0x7f3c6ade224a]
/// ./a[0x400572]
/// ```
/// Source: `debug/backtracesyms.c` of glibc. Its `backtrace_symbols_fd`, and the reports of old versions, have no blank
/// before the address.
enum BacktraceSymbolsFrame {
    /// - Returns: `nil` for a line that is no frame.
    static func read(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard let line = line.trimmed.droppingSuffix("]"), let opening = line.lastRange(of: "[0x"),
            let address = line[opening.upperBound...].hexNumber
        else { return nil }
        let place = line[..<opening.lowerBound].trimmed
        guard let inner = place.droppingSuffix(")"), let bracket = inner.firstIndex(of: UInt8(ascii: "(")) else {
            return self.isPath(place) ? self.frame(module: place, symbol: [], address: address) : nil
        }
        let module = inner[..<bracket].trimmed
        return self.isPath(module)
            ? self.frame(module: module, symbol: inner[(bracket + 1)...], address: address) : nil
    }

    private static func isPath(_ text: ArraySlice<UInt8>) -> Bool {
        // A program may have put words of its own behind its name.
        !text.isEmpty && text.count <= 1_024 && (text.first == UInt8(ascii: "/") || !text.contains(where: \.isBlank))
    }

    private static func frame(module: ArraySlice<UInt8>, symbol: ArraySlice<UInt8>, address: UInt64) -> Crash.Frame {
        let path = module.prefix { !$0.isBlank }.text
        let function = FunctionName.plain(symbol)
        // Without a function the offset counts from the beginning of the module.
        let offset = function == nil ? symbol.dropping("+0x").flatMap(\.hexNumber) : nil
        return Crash.Frame(
            function: function, module: path, address: address, moduleOffset: offset,
            isOwn: NativeOwnership.isOwn(function: function, module: path))
    }

    /// The frames at the beginning of some lines.
    static func stack(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        var frames: [Crash.Frame] = []
        for line in lines {
            guard frames.count < TextBounds.frameCount, let frame = self.read(line) else { break }
            frames.append(frame)
        }
        return frames
    }
}
