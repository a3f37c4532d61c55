/// What a document may have more of than a crash keeps, cut before frames are made of it.
///
/// A list of 1 MiB can have hundreds of thousands of empty objects, and a frame is fifty times as large as one of them.
extension [JSONValue] {
    /// The frames of a stack that are kept: the first ones and a few of the last.
    var keptFrames: [JSONValue] {
        guard self.count > Crash.Bounds.frameCount else { return self }
        let last = Crash.Bounds.outermostFrameCount
        return Array(self.prefix(Crash.Bounds.frameCount - last) + self.suffix(last))
    }

    /// The threads that are kept, each with its index: the first ones, and the first that is marked as the one at fault.
    func keptThreads(isMarked: (Int, JSONValue) -> Bool) -> [(index: Int, thread: JSONValue)] {
        let kept = self.prefix(Crash.Bounds.threadCount).enumerated().map { (index: $0.offset, thread: $0.element) }
        let marked = self.enumerated().first { isMarked($0.offset, $0.element) }
        guard let marked, marked.offset >= kept.count else { return kept }
        return kept.dropLast() + [(index: marked.offset, thread: marked.element)]
    }
}
