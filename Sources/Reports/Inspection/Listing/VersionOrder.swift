import DurableIO

/// The order in which people expect versions: 2.9 comes before 2.10, and 2.1-rc1 before 2.1.
enum VersionOrder {
    /// Whether the first of two different versions is the earlier one.
    ///
    /// Runs of digits are compared as numbers, all else byte by byte. A version comes behind the same version with a
    /// `~`, or with a `-` and a letter, after it: these mark what was published before. Versions that differ only in
    /// leading zeros are ordered by their bytes.
    static func areInOrder(_ first: String, _ second: String) -> Bool {
        var (left, right) = (Array(first.utf8)[...], Array(second.utf8)[...])
        while true {
            let kinds = (Piece(at: left), Piece(at: right))
            if kinds.0 != kinds.1 { return kinds.0 < kinds.1 }
            switch kinds.0 {
            case .end: return first.utf8.lexicographicallyPrecedes(second.utf8)
            case .number:
                let numbers = (takeNumber(&left), takeNumber(&right))
                if numbers.0.count != numbers.1.count { return numbers.0.count < numbers.1.count }
                if !numbers.0.elementsEqual(numbers.1) { return numbers.0.lexicographicallyPrecedes(numbers.1) }
            case .tilde, .preRelease, .other:
                let bytes = (left.removeFirst(), right.removeFirst())
                if bytes.0 != bytes.1 { return bytes.0 < bytes.1 }
            }
        }
    }

    /// What stands at a place of a version, in the order in which versions that differ there come.
    private enum Piece: Int, Comparable {
        case tilde
        case preRelease
        case end
        case number
        case other

        init(at rest: ArraySlice<UInt8>) {
            guard let first = rest.first else {
                self = .end
                return
            }
            let isMark = first == UInt8(ascii: "-") && rest.dropFirst().first?.isASCIILetter == true
            self = first == UInt8(ascii: "~") ? .tilde : isMark ? .preRelease : first.isASCIIDigit ? .number : .other
        }

        static func < (left: Piece, right: Piece) -> Bool { left.rawValue < right.rawValue }
    }

    /// The digits of a number without its leading zeros.
    private static func takeNumber(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let digits = rest.prefix(while: \.isASCIIDigit)
        rest = rest[digits.endIndex...]
        return digits.drop { $0 == UInt8(ascii: "0") }
    }
}
