/// A gzip member: described by what is inside, sent as it is.
enum GzipFormat {
    /// What is said of gzip within gzip, which is not opened: each layer could be a thousand times larger than the
    /// last.
    static let unopened = Diagnosis(
        format: "gzip", contentType: "application/gzip", kind: .other, isAssumed: true, summary: "gzip")

    static func matches(_ window: PayloadWindow) -> Bool {
        window.head.starts(with: [0x1f, 0x8b])
    }

    /// - Parameters:
    ///   - window: the gzip file.
    ///   - inflate: inflates the beginning of the file; the end of what is inside is not looked at.
    ///   - content: tells what the inflated bytes are.
    /// - Returns: the diagnosis of what is inside, as gzip.
    static func read(
        _ window: PayloadWindow, inflate: Diagnosis.Inflate, content: (PayloadWindow) -> Diagnosis
    ) -> Diagnosis {
        var diagnosis = Self.unopened
        let limit = PayloadWindow.headByteCount
        guard let inflated = inflate(window.head, limit)?.prefix(limit) else {
            diagnosis.summary = "gzip, damaged"
            return diagnosis
        }
        let isWhole = window.head.count == window.byteCount && inflated.count < limit
        let inside = content(
            window.replacing(
                head: Array(inflated), byteCount: inflated.count + (isWhole ? 0 : 1),
                name: window.name.withoutGzipSuffix))
        diagnosis.kind = inside.kind
        diagnosis.isAssumed = inside.isAssumed
        diagnosis.summary = "gzip of \(inside.format): \(inside.summary)"
        diagnosis.crash = inside.crash
        diagnosis.innerFormat = inside.innerFormat ?? inside.format
        return diagnosis
    }
}
