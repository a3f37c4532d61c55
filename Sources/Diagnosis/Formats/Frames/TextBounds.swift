/// How much the formats of text take out of one payload at most. ``Crash/Bounds`` cut what is left further.
enum TextBounds {
    /// Of one stack. A stack that overflowed has its first frames, and none of its last ones, below this bound.
    static let frameCount = 4_096
    static let threadCount = Crash.Bounds.threadCount
    /// How many lines of a message are kept.
    static let messageLineCount = 64
}
