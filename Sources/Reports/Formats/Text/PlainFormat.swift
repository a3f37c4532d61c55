/// What nothing else knows: text, or bytes.
enum PlainFormat {
    static func recognize(_ head: PayloadHead) -> Recognition {
        if head.bytes.contains(0) {
            return Recognition(
                format: "binary", contentType: ContentType.bytes, kind: .other, from: .default, summary: "binary data")
        }
        guard PayloadEncoding.isUTF8(head.bytes) else {
            return Recognition(
                format: "binary", contentType: ContentType.bytes, kind: .other, from: .default,
                summary: "not UTF-8: \(head.title.text)")
        }
        return Recognition(
            format: "text", contentType: ContentType.text, kind: .log, from: .default,
            summary: SummaryLine.text(head.title.text).nonEmpty ?? "blank text")
    }
}
