/// What nothing else knows: text, or bytes.
enum PlainFormat {
    static func read(_ window: PayloadWindow) -> Diagnosis {
        if window.head.contains(0) || window.tail.contains(0) {
            return Diagnosis(
                format: "binary", contentType: ContentType.bytes, kind: .other, isAssumed: true, summary: "binary data")
        }
        guard TextEncoding.isUTF8(window) else {
            return Diagnosis(
                format: "binary", contentType: ContentType.bytes, kind: .other, isAssumed: true,
                summary: "not UTF-8: \(window.title.text)")
        }
        let title = window.title.text
        return Diagnosis(
            format: "text", contentType: ContentType.text, kind: .log, isAssumed: true,
            summary: title.allSatisfy(\.isWhitespace) ? "blank text" : title)
    }
}
