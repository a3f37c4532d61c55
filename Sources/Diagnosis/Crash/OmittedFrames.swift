/// What stands in a stack for frames that are not there, so that nobody takes the two frames around them for a call and
/// its caller.
extension Crash.Frame {
    /// The frame that stands for so many calls in the middle of a stack. It is nobody's code.
    static func omission(of count: Int64) -> Crash.Frame {
        let count = max(0, min(count, Int64(Int32.max)))
        var frame = Crash.Frame(function: "<\(count) frames omitted>", isOwn: false)
        frame.omittedCount = Int(count)
        return frame
    }

    /// How many calls the frame stands for.
    package var callCount: Int { self.omittedCount ?? 1 }
}

extension Array {
    /// Makes the frames of a stack that a crash keeps: the innermost and a few of the outermost ones, between which one
    /// frame stands for all the others.
    ///
    /// A stack is cut before frames are made of it: a list of 1 MiB can have hundreds of thousands of empty objects,
    /// and a frame is fifty times as large as one of them.
    /// - Parameters:
    ///   - limit: the most frames.
    ///   - frame: makes a frame of an element, the innermost one first.
    ///   - callCount: how many calls an element stands for.
    /// - Returns: the innermost frame first.
    func keptFrames(
        limit: Int = Crash.Bounds.frameCount, _ frame: (Element) -> Crash.Frame?,
        callCount: (Element) -> Int = { _ in 1 }
    ) -> [Crash.Frame] {
        guard self.count > limit else { return self.compactMap(frame) }
        let outermost = Swift.max(0, Swift.min(Crash.Bounds.outermostFrameCount, limit - 1))
        let omitted = Swift.max(0, limit - 1 - outermost)..<self.count - outermost
        let ends = (self[..<omitted.lowerBound].compactMap(frame), self[omitted.upperBound...].compactMap(frame))
        // Where nothing is left of a stack, there is nothing that calls could be missing from.
        guard !ends.0.isEmpty || !ends.1.isEmpty else { return [] }
        let count = self[omitted].reduce(0) { $0 + Int64(callCount($1)) }
        return ends.0 + [.omission(of: count)] + ends.1
    }
}
