/// A place in source code, as nearly all programs write it: `FILE:LINE:COLUMN` or `FILE:LINE`.
struct SourceLocation {
    let file: String
    let line: Int64
    let column: Int64?

    init?(_ text: ArraySlice<UInt8>) {
        guard let (rest, last) = Self.droppingNumber(text.trimmed) else { return nil }
        if let (file, line) = Self.droppingNumber(rest), !file.isEmpty {
            (self.file, self.line, self.column) = (file.text, line, last)
        } else {
            guard !rest.isEmpty else { return nil }
            (self.file, self.line, self.column) = (rest.text, last, nil)
        }
    }

    /// What stands before `:NUMBER` at the end, and the number.
    private static func droppingNumber(_ text: ArraySlice<UInt8>) -> (rest: ArraySlice<UInt8>, number: Int64)? {
        guard let colon = text.lastIndex(of: UInt8(ascii: ":")), let number = text[(colon + 1)...].decimalNumber else {
            return nil
        }
        return (text[..<colon], number)
    }
}
