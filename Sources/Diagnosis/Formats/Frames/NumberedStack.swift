/// The stack that begins among some lines.
struct NumberedStack {
    private(set) var frames: [Crash.Frame] = []
    /// The modules that came with a build id.
    private(set) var images: [Crash.Image] = []
    /// The index of the line where frame 0 stands.
    private(set) var line: Int?

    /// Reads the first stack: from frame 0 to the first line that is no frame of it.
    /// - Parameters:
    ///   - lines: where to look.
    ///   - limit: how many lines may stand before the stack.
    init(in lines: ArraySlice<ArraySlice<UInt8>>, within limit: Int) {
        guard let start = lines.prefix(limit).firstIndex(where: { NumberedFrame($0)?.number == 0 }) else { return }
        self.line = start
        for line in lines[start...] {
            guard let frame = NumberedFrame(line), frame.number > 0 || self.frames.isEmpty,
                self.frames.count < TextBounds.frameCount
            else { break }
            self.frames.append(frame.frame)
            self.addImage(of: frame)
        }
    }

    private mutating func addImage(of frame: NumberedFrame) {
        guard let path = frame.frame.module, let buildID = frame.buildID, self.images.count < 64,
            !self.images.contains(where: { $0.path == path })
        else { return }
        self.images.append(Crash.Image(path: path, buildID: buildID))
    }

    /// The name of the program's file: the innermost module that is no shared library.
    var program: String? {
        self.frames.lazy.compactMap(\.module).first { NativeOwnership.mayBeProgram($0) }?.lastPathComponent.nonEmpty
    }
}
