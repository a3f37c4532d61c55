/// How the bodies of one attempt's requests went out, by a clock in milliseconds: most often one body, several where a
/// transfer goes by parts.
package struct BodyTrace: Hashable, Sendable {
    private struct Point: Hashable {
        let time: Int64
        let byteCount: UInt64
    }

    /// When the attempt began.
    package let begun: Int64
    /// Whether a request with a body was made.
    package private(set) var hasBody = false
    /// Of bodies whose requests were answered.
    private var answeredByteCount: UInt64 = 0
    /// Of the last request's body, and how much of it has left this machine.
    private var currentSize: UInt64 = 0
    private var currentByteCount: UInt64 = 0
    private var points: [Point] = []
    private static let pointLimit = 64
    /// So many pieces in half of an attempt say how fast they go, to within a fifth.
    private static let finePointCount = 5

    package init(begun: Int64) {
        self.begun = begun
    }

    /// How many bytes of bodies have left this machine.
    package var byteCount: UInt64 { answeredByteCount + currentByteCount }

    /// Whether the last request's body has gone out to its end, and no answer has come.
    package var waitsForAnswer: Bool { currentSize > 0 && currentByteCount >= currentSize }

    // MARK: - Events

    package mutating func requestBegan(byteCount: UInt64) {
        if byteCount > 0 { hasBody = true }
        (currentSize, currentByteCount) = (byteCount, 0)
    }

    /// So much of the last request's body has left. A request that goes out once more begins at zero again.
    package mutating func sent(_ byteCount: UInt64, at time: Int64) {
        if byteCount < currentByteCount { points = [] }
        currentByteCount = byteCount
        points.append(Point(time: time, byteCount: self.byteCount))
        guard points.count > Self.pointLimit else { return }
        points = points.enumerated().filter { $0.offset % 2 == 1 || $0.offset == 0 }.map(\.element)
    }

    package mutating func answered() {
        answeredByteCount += currentByteCount
        (currentSize, currentByteCount) = (0, 0)
    }

    // MARK: - The rate

    /// How fast bodies went out.
    ///
    /// In the last half of the attempt, if they went out in many pieces then: what this machine's own buffers take at
    /// the beginning says nothing about the way to the server. With few large pieces the whole attempt tells more; the
    /// last of them is still going out at its end.
    /// - Parameter end: of the attempt.
    /// - Returns: `nil` where nothing has moved for half of the attempt. That is a server, or a network, that stands
    ///   still for a while, and no slow one.
    package func rate(at end: Int64) -> BodyRate? {
        let middle = begun + (end - begun) / 2
        guard let last = points.last, last.time > middle else { return nil }
        let isFine = points.count { $0.time > middle } >= Self.finePointCount
        let first = isFine ? points.last { $0.time <= middle } : nil
        return BodyRate(
            byteCount: Int64(clamping: last.byteCount) - Int64(clamping: first?.byteCount ?? 0),
            milliseconds: first.map { last.time - $0.time } ?? end - begun)
    }
}
