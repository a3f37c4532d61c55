/// How the bodies of one attempt's requests went out, by a clock in milliseconds: most often one body, several where a
/// transfer goes by parts.
package struct BodyTrace: Hashable, Sendable {
    private struct Point: Hashable {
        let time: Int64
        let byteCount: UInt64
    }

    /// Whether a request with a body was made.
    package private(set) var hasBody = false
    /// Of bodies whose requests were answered.
    private var answeredByteCount: UInt64 = 0
    /// Of the last request's body, and how much of it has left this machine.
    private var currentSize: UInt64 = 0
    private var currentByteCount: UInt64 = 0
    private var points: [Point] = []
    private static let pointLimit = 64
    /// So many pieces in half of the time say how fast they go, to within a fifth.
    private static let finePointCount = 5
    /// A body that has gone out for less than 1 s says nothing about its pace.
    private static let leastTime: Int64 = 1_000

    package init() {}

    /// How many bytes of bodies have left this machine.
    package var byteCount: UInt64 { answeredByteCount + currentByteCount }

    /// Whether the last request's body has gone out to its end, and no answer has come. Its last bytes may still lie in
    /// this machine's buffers.
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
    /// The time begins when the first piece has gone out, without that piece: the name's look-up and the connection's
    /// establishment come before it. The last half of the time counts, if bodies went out in many pieces then: what
    /// this machine's own buffers take at the beginning says nothing about the way to the server. With few large
    /// pieces the whole time tells more; the last of them is still going out at its end.
    /// - Parameter end: of the attempt.
    /// - Returns: `nil` where nothing has moved for half of the time. That is a server, or a network, that stands still
    ///   for a while, and no slow one. Also `nil` where the time is too short to tell.
    package func rate(at end: Int64) -> BodyRate? {
        guard let first = points.first, let last = points.last, end - first.time >= Self.leastTime else { return nil }
        let middle = first.time + (end - first.time) / 2
        guard last.time > middle else { return nil }
        let isFine = points.count { $0.time > middle } >= Self.finePointCount
        let from = isFine ? points.last { $0.time <= middle } ?? first : first
        return BodyRate(
            byteCount: Int64(clamping: last.byteCount) - Int64(clamping: from.byteCount),
            milliseconds: (isFine ? last.time : end) - from.time)
    }
}
