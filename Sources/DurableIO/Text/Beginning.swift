extension String {
    /// At most so many bytes of the text in UTF-8, and no half character. A text that is cut ends with `…`, which comes
    /// on top.
    package func beginning(byteCount: Int) -> String {
        guard utf8.count > byteCount else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: byteCount)
        while String.Index(end, within: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end]) + "…"
    }
}
