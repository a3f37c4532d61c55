/// The bytes of a request: a list of segments, sent one after the other.
///
/// A body is a value. It holds no byte of its sources, so cutting it costs the same however large they are, and nothing
/// is read before it is sent. Its size is known beforehand. After a crash a later process makes the body anew from the
/// same segments, and a part that is cut from it holds the same bytes as before.
package struct TransferBody: Sendable {
    /// One stretch of a body.
    package enum Segment: Sendable {
        /// Bytes that are given.
        case bytes([UInt8])
        /// `length` bytes of a source, from `offset` on.
        case range(of: any BodySource, offset: UInt64, length: UInt64)

        /// In bytes.
        package var byteCount: UInt64 {
            switch self {
            case .bytes(let bytes): UInt64(bytes.count)
            case .range(_, _, let length): length
            }
        }
    }

    /// None of them is empty.
    package private(set) var segments: [Segment] = []
    /// Of all segments; at most `Int64.max`.
    package private(set) var byteCount: UInt64 = 0

    /// A body of the segments, in their order.
    ///
    /// - Throws: ``TooLarge`` when their sizes, or the end of a range in its source, are beyond `Int64.max`.
    package init(_ segments: [Segment]) throws(TooLarge) {
        for segment in segments where segment.byteCount > 0 {
            if case .range(_, let offset, let length) = segment { _ = try TooLarge.checkedSum(offset, length) }
            byteCount = try TooLarge.checkedSum(byteCount, segment.byteCount)
            self.segments.append(segment)
        }
    }

    /// Why segments make no body: they promise more bytes than any file has.
    package struct TooLarge: Error, Hashable, Sendable, CustomStringConvertible {
        package var description: String { "its stated size is above \(Int64.max) bytes, which no file has" }

        fileprivate static func checkedSum(_ first: UInt64, _ second: UInt64) throws(TooLarge) -> UInt64 {
            let (sum, isOverflown) = first.addingReportingOverflow(second)
            guard !isOverflown, sum <= Int64.max else { throw TooLarge() }
            return sum
        }
    }

    // MARK: - Parts

    /// A part of the body, which has to lie within it.
    package subscript(range: Range<UInt64>) -> TransferBody {
        precondition(range.upperBound <= byteCount, "a part of \(range) of a body of \(byteCount) bytes")
        var part = TransferBody()
        var start: UInt64 = 0
        for segment in segments {
            guard start < range.upperBound else { break }
            // No sum of these overflows: all of them lie in the body, or in a segment of it.
            let end = start + segment.byteCount
            let common = range.clamped(to: start..<end)
            part.append(segment[common.lowerBound - start..<common.upperBound - start])
            start = end
        }
        return part
    }

    private init() {}

    private mutating func append(_ segment: Segment) {
        guard segment.byteCount > 0 else { return }
        segments.append(segment)
        byteCount += segment.byteCount
    }
}

extension TransferBody.Segment {
    fileprivate subscript(range: Range<UInt64>) -> Self {
        switch self {
        case .bytes(let bytes): .bytes(Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
        case .range(let source, let offset, _):
            .range(of: source, offset: offset + range.lowerBound, length: range.upperBound - range.lowerBound)
        }
    }
}
