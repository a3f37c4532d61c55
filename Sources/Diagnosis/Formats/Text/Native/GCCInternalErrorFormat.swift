/// An internal error of GCC.
///
/// ```
/// ledger.c:12:5: internal compiler error: in fold_convert_loc, at fold-const.cc:2435
/// 0x7f3c6ade fold_convert_loc(unsigned int, tree_node*, tree_node*)
///         ../../src/gcc/fold-const.cc:2435
/// Please submit a full bug report, with preprocessed source (by using -freport-bug).
/// ```
/// Source: `gcc/diagnostic.cc`.
enum GCCInternalErrorFormat: TextFormat {
    static let marks: [LineMark] = [.containing(": internal compiler error: ")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            let title = text.lines[place]
            let following = text.lines[(place + 1)...].prefix(TextBounds.messageLineCount * 4)
            guard title.first?.isBlank == false, let message = title.after(": internal compiler error: "),
                following.contains(where: { $0.starts(with: "Please submit a full bug report".utf8) })
            else { continue }
            var crash = Crash(
                program: nil, cause: Crash.Cause(type: "internal compiler error", message: message.text))
            if message.starts(with: "Segmentation fault".utf8) { crash.cause.signal = "SIGSEGV" }
            if message.starts(with: "Aborted".utf8) { crash.cause.signal = "SIGABRT" }
            let frames = self.frames(in: following)
            if !frames.isEmpty { crash.threads = [Crash.Thread(isCrashed: true, frames: frames)] }
            return TextFinding(crash, format: "gcc-crash", subject: "gcc", line: place)
        }
        return nil
    }

    private static func frames(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        var frames: [Crash.Frame] = []
        for line in lines {
            if line.starts(with: "0x".utf8) {
                let address = line.prefix { !$0.isBlank }
                let function = FunctionName.plain(line[address.endIndex...])
                frames.append(
                    Crash.Frame(
                        function: function, address: address.hexNumber, isOwn: NativeOwnership.isOwn(function: function)
                    ))
            } else if let location = SourceLocation(line), let last = frames.indices.last, line.first?.isBlank == true {
                frames[last].file = location.file
                frames[last].line = location.line
            }
        }
        return frames
    }
}
