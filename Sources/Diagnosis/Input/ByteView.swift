/// A part of an array's bytes that is looked at without a share in owning it.
///
/// Each copy of a slice of an array counts the array's owners. Where every line is taken apart in dozens of small pieces,
/// that counting takes more time than all else. A view is an address and two indices, and costs nothing to copy.
///
/// Its indices are those of the slice it was made from, and each access is checked against them. All that is not checked
/// is how long a view lives: it ends with the call of ``Swift/ArraySlice/withView(_:)`` that made it. What is kept for
/// longer is copied, or taken from the slice by its indices.
struct ByteView: RandomAccessCollection {
    /// The address of the byte at `startIndex`.
    private let address: UnsafePointer<UInt8>
    let startIndex: Int
    let endIndex: Int

    private init(_ address: UnsafePointer<UInt8>, _ range: Range<Int>) {
        (self.address, self.startIndex, self.endIndex) = (address, range.lowerBound, range.upperBound)
    }

    /// A view of a text of the program itself, which may be kept.
    init(_ text: StaticString = "") {
        self.init(text.utf8Start, 0..<text.utf8CodeUnitCount)
    }

    fileprivate init(_ buffer: UnsafeBufferPointer<UInt8>, startIndex: Int) {
        self.init(buffer.baseAddress ?? ByteView().address, startIndex..<startIndex + buffer.count)
    }

    subscript(index: Int) -> UInt8 {
        precondition(index >= self.startIndex && index < self.endIndex, "no byte of the view")
        return self.address[index &- self.startIndex]
    }

    subscript(range: Range<Int>) -> ByteView {
        precondition(range.lowerBound >= self.startIndex && range.upperBound <= self.endIndex, "no part of the view")
        return ByteView(self.address + (range.lowerBound &- self.startIndex), range)
    }

    func withContiguousStorageIfAvailable<Result>(
        _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
    ) rethrows -> Result? {
        try body(UnsafeBufferPointer(start: self.address, count: self.count))
    }
}

// MARK: - Eight bytes at a time

extension ByteView {
    private static let lowBits: UInt64 = 0x0101_0101_0101_0101
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Where a byte stands first.
    func firstIndex(of byte: UInt8) -> Int? {
        let pattern = Self.lowBits &* UInt64(byte)
        var index = self.startIndex
        while index <= self.endIndex - 8 {
            let difference = self.word(at: index) ^ pattern
            // The lowest bit that is set here is in the first byte that does not differ.
            let equal = (difference &- Self.lowBits) & ~difference & Self.highBits
            if equal != 0 { return index + equal.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < self.endIndex {
            if self[index] == byte { return index }
            index += 1
        }
        return nil
    }

    func contains(_ byte: UInt8) -> Bool { self.firstIndex(of: byte) != nil }

    var isASCII: Bool {
        var index = self.startIndex
        while index <= self.endIndex - 8 {
            guard self.word(at: index) & Self.highBits == 0 else { return false }
            index += 8
        }
        return self[index...].allSatisfy { $0 < 0x80 }
    }

    /// Eight bytes, the first one in the lowest bits.
    private func word(at index: Int) -> UInt64 {
        precondition(index >= self.startIndex && index <= self.endIndex - 8, "no bytes of the view")
        let address = UnsafeRawPointer(self.address + (index &- self.startIndex))
        return UInt64(littleEndian: address.loadUnaligned(as: UInt64.self))
    }
}

// MARK: - Lines

extension ByteView {
    /// Takes the first line off, without its end (LF or CR LF); `nil` where nothing is left.
    mutating func takeLine() -> ByteView? {
        guard !self.isEmpty else { return nil }
        let end = self.firstIndex(of: UInt8(ascii: "\n"))
        let line = self[..<(end ?? self.endIndex)]
        self = self[(end.map { $0 + 1 } ?? self.endIndex)...]
        return line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }
}

extension ArraySlice<UInt8> {
    /// Looks at the bytes without owning them. The view must not leave the closure.
    func withView<Result>(_ body: (ByteView) -> Result) -> Result {
        self.withUnsafeBufferPointer { body(ByteView($0, startIndex: self.startIndex)) }
    }
}
