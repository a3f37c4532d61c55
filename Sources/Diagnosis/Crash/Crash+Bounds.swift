extension Crash {
    /// The most that a crash holds, whatever the payload claims: some 10 MiB at the worst.
    package enum Bounds {
        package static let threadCount = 512
        /// Of one thread. Of a longer stack the innermost and a few of the outermost frames are kept, and one frame that
        /// says how many calls are missing between them.
        package static let frameCount = 256
        /// How many of the frames that are kept are outermost ones.
        package static let outermostFrameCount = 32
        /// Of all threads together; each earlier cause may have a stack besides.
        package static let totalFrameCount = 8_192
        package static let imageCount = 2_048
        package static let earlierCauseCount = 16
        package static let registerCount = 64
        /// Of each text, in bytes of UTF-8.
        package static let textByteCount = 1_024
        /// Of a cause's message, in bytes of UTF-8.
        package static let messageByteCount = 8_192
    }

    /// The same crash, cut to the bounds. The crashed thread is kept wherever it stands.
    func bounded() -> Crash {
        var crash = self
        crash.program = self.program?.cut()
        crash.version = self.version?.cut()
        crash.cause = self.cause.bounded(frameCount: 0)
        crash.earlierCauses = self.earlierCauses.prefix(Bounds.earlierCauseCount).map {
            $0.bounded(frameCount: Bounds.frameCount)
        }
        crash.threads = self.boundedThreads()
        crash.images = self.images.prefix(Bounds.imageCount).map { $0.bounded() }
        crash.system = System(
            name: self.system.name?.cut(), version: self.system.version?.cut(),
            architecture: self.system.architecture?.cut())
        crash.lastWords = self.lastWords?.cut(Bounds.messageByteCount)
        crash.runtime = self.runtime.map { Runtime(name: $0.name.cut(), version: $0.version?.cut()) }
        return crash
    }

    private func boundedThreads() -> [Thread] {
        var threads = Array(self.threads.prefix(Bounds.threadCount))
        if let crashed = self.threads.firstIndex(where: \.isCrashed), crashed >= threads.count {
            threads[threads.count - 1] = self.threads[crashed]
        }
        var left = Bounds.totalFrameCount
        // The crashed thread's frames first, so that no other thread takes their place.
        let order = threads.indices.sorted { threads[$0].isCrashed && !threads[$1].isCrashed }
        for index in order {
            threads[index] = threads[index].bounded(frameCount: min(left, Bounds.frameCount))
            left -= threads[index].frames.count
        }
        return threads
    }
}

extension Crash.Cause {
    fileprivate func bounded(frameCount: Int) -> Crash.Cause {
        var cause = self
        cause.type = self.type.cut()
        cause.message = self.message?.cut(Crash.Bounds.messageByteCount)
        cause.signal = self.signal?.cut()
        cause.code = self.code?.cut()
        cause.frames = self.frames.bounded(frameCount)
        return cause
    }
}

extension Crash.Thread {
    fileprivate func bounded(frameCount: Int) -> Crash.Thread {
        var thread = self
        thread.name = self.name?.cut()
        thread.state = self.state?.cut()
        thread.frames = self.frames.bounded(frameCount)
        thread.registers = self.registers.prefix(Crash.Bounds.registerCount).map {
            Crash.Register(name: $0.name.cut(), value: $0.value)
        }
        return thread
    }
}

extension [Crash.Frame] {
    fileprivate func bounded(_ limit: Int) -> [Crash.Frame] {
        self.keptFrames(limit: limit, { $0.bounded() }, callCount: \.callCount)
    }
}

extension Crash.Frame {
    fileprivate func bounded() -> Crash.Frame {
        var frame = self
        frame.function = self.function?.cut()
        frame.file = self.file?.cut()
        frame.module = self.module?.cut()
        frame.symbol = self.symbol?.cut()
        frame.sourceLine = self.sourceLine?.cut()
        return frame
    }
}

extension Crash.Image {
    fileprivate func bounded() -> Crash.Image {
        var image = self
        image.path = self.path.cut()
        image.buildID = self.buildID?.cut()
        return image
    }
}

extension String {
    /// At most so many bytes of the text, and no half character.
    fileprivate func cut(_ limit: Int = Crash.Bounds.textByteCount) -> String {
        guard self.utf8.count > limit else { return self }
        var end = self.utf8.index(self.startIndex, offsetBy: limit)
        while end > self.startIndex, String.Index(end, within: self.unicodeScalars) == nil {
            end = self.utf8.index(before: end)
        }
        return String(self[..<end])
    }
}
