/// A stack that a program's own handler wrote, in one of the forms that are common for it.
///
/// The forms are those of the sanitizers and of Chromium (``NumberedFrame``), of the C library
/// (``BacktraceSymbolsFrame``), of glog and Abseil (`    @     0x55d1c2a1f3b4  settle()`), and of Boost and the C++
/// library (` 0# settle() at src/main.cpp:6`).
struct NativeStack {
    private(set) var frames: [Crash.Frame] = []
    /// The index of the line where the stack begins.
    private(set) var line: Int?

    /// Reads the first stack among some lines, of which at most `limit` may stand before it.
    init(in lines: ArraySlice<ArraySlice<UInt8>>, within limit: Int) {
        for start in lines.prefix(limit).indices {
            let frames = Self.frames(at: lines[start...])
            guard !frames.isEmpty else { continue }
            self.line = start
            self.frames = frames
            return
        }
    }

    /// The stack that begins with the first of some lines; empty where none does.
    static func frames(at lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        guard let first = lines.first, first.count <= 8_192 else { return [] }
        if let frame = NumberedFrame(first) { return frame.number == 0 ? self.numberedFrames(lines) : [] }
        for form in [BacktraceSymbolsFrame.read, self.logFrame, self.boostFrame] where form(first) != nil {
            var frames: [Crash.Frame] = []
            for line in lines {
                guard frames.count < TextBounds.frameCount, let frame = form(line) else { break }
                frames.append(frame)
            }
            return frames
        }
        return []
    }

    private static func numberedFrames(_ lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        var frames: [Crash.Frame] = []
        for line in lines {
            if let frame = NumberedFrame(line) {
                guard frame.number > 0 || frames.isEmpty, frames.count < TextBounds.frameCount else { break }
                frames.append(frame.frame)
            } else if let location = line.trimmed.dropping("at ").flatMap({ SourceLocation($0) }),
                let last = frames.indices.last
            {
                // Fortran's library writes the place in the source below the function.
                frames[last].file = location.file
                frames[last].line = location.line
            } else {
                break
            }
        }
        return frames
    }

    /// `    @     0x55d1c2a1f3b4        128  settle()`, where the size of the frame may be missing.
    static func logFrame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard let rest = line.trimmed.dropping("@")?.trimmed else { return nil }
        let word = rest.prefix { !$0.isBlank }
        guard word.count >= 8, let address = word.hexNumber else { return nil }
        var symbol = rest[word.endIndex...].trimmed
        if let size = symbol.leadingDigits, symbol[size.endIndex...].starts(with: "  ".utf8) {
            symbol = symbol[size.endIndex...].trimmed
        }
        let function = FunctionName.plain(symbol)
        return Crash.Frame(function: function, address: address, isOwn: NativeOwnership.isOwn(function: function))
    }

    /// ` 0# settle(int) at src/main.cpp:6`, ` 1# 0x00000000004014D4 in ./shopd`.
    private static func boostFrame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        let line = line.trimmed
        guard let digits = line.leadingDigits, let rest = line[digits.endIndex...].dropping("# ") else { return nil }
        let location = rest.lastRange(of: " at ").flatMap { SourceLocation(rest[$0.upperBound...]) }
        let module = location == nil ? rest.lastRange(of: " in ").map { rest[$0.upperBound...].text } : nil
        let end = rest.lastRange(of: location == nil ? " in " : " at ")?.lowerBound ?? rest.endIndex
        let symbol = rest[..<end]
        let address = symbol.starts(with: "0x".utf8) ? symbol.hexNumber : nil
        let function = address == nil ? FunctionName.plain(symbol) : nil
        guard function != nil || address != nil else { return nil }
        return Crash.Frame(
            function: function, file: location?.file, line: location?.line, module: module, address: address,
            isOwn: NativeOwnership.isOwn(function: function, file: location?.file, module: module))
    }

    /// The name of the program's file, where the frames name it.
    static func program(of frames: [Crash.Frame]) -> String? {
        frames.lazy.compactMap(\.module).first { NativeOwnership.mayBeProgram($0) }?.lastPathComponent.nonEmpty
    }
}
