package import Diagnosis

/// The beginning and the end of a payload that comes in pieces: what a ``PayloadWindow`` shows.
///
/// Its memory is bounded by the window's, about 1.5 MiB by default, however large the payload is.
package struct PayloadExcerpt {
    private let headByteCount: Int
    private var head: [UInt8] = []
    private var tail: [UInt8] = []
    private var byteCount = 0

    /// - Parameters:
    ///   - headByteCount: how much of the beginning is kept. The default is what collecting looks at.
    ///   - byteCount: the size of the payload where it is known, so that no memory is needed twice while the beginning
    ///     grows.
    package init(headByteCount: Int = PayloadWindow.headByteCount, of byteCount: UInt64? = nil) {
        self.headByteCount = headByteCount
        if let byteCount { head.reserveCapacity(min(headByteCount, Int(clamping: byteCount))) }
    }

    /// Adds the next piece of the payload.
    package mutating func add(_ piece: UnsafeRawBufferPointer) {
        byteCount += piece.count
        let room = headByteCount - head.count
        if room > 0 { head.append(contentsOf: piece.prefix(room)) }
        guard piece.count > room else { return }
        let rest = UnsafeRawBufferPointer(rebasing: piece.dropFirst(max(0, room)).suffix(PayloadWindow.tailByteCount))
        if rest.count == PayloadWindow.tailByteCount { tail.removeAll(keepingCapacity: true) }
        tail.append(contentsOf: rest)
        // Kept up to twice its size, so that small pieces do not move it each time.
        if tail.count >= 2 * PayloadWindow.tailByteCount {
            tail.removeFirst(tail.count - PayloadWindow.tailByteCount)
        }
    }

    /// Tells what the payload is, by all that was added.
    /// - Parameters:
    ///   - name: the dropped file's name.
    ///   - total: the size of the payload where not all of it was added.
    /// - Returns: the diagnosis.
    package func diagnosis(name: [UInt8], of total: Int? = nil) -> Diagnosis {
        Self.diagnosis(
            PayloadWindow(
                head: head[...], tail: tail.suffix(PayloadWindow.tailByteCount), byteCount: total ?? byteCount,
                name: name))
    }

    /// What a payload is that is all in memory.
    package static func diagnosis(of payload: [UInt8], name: [UInt8]) -> Diagnosis {
        diagnosis(
            PayloadWindow(
                head: payload.prefix(PayloadWindow.headByteCount), tail: payload.suffix(PayloadWindow.tailByteCount),
                byteCount: payload.count, name: name))
    }

    private static func diagnosis(_ window: PayloadWindow) -> Diagnosis {
        Diagnosis.recognize(window) { Inflater.gzipPrefix($0, limit: $1) }
    }
}
