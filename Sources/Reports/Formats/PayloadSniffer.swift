/// Tells what a payload is, from its first bytes and its name.
///
/// Works on anything: every read is checked, nothing recurses with the input, and the work is bounded by the window.
/// The order of the formats matters: magic numbers first, then JSON, then the texts by how they begin.
package enum PayloadSniffer {
    /// How much of the beginning is looked at, in bytes (64 KiB).
    package static let windowByteCount = 64 << 10

    private typealias Format = @Sendable (PayloadHead) -> Recognition?

    private static let binaryFormats: [Format] = [
        ZstandardFormat.recognize, ELFCoreFormat.recognize, MinidumpFormat.recognize, JournalFormat.recognize,
        PLCrashFormat.recognize,
    ]

    private static let textFormats: [Format] = [
        JSONDocument.recognize, SwiftTextFormat.recognize, SwiftErrorOutputFormat.recognize, JVMFormat.recognize,
        PythonTracebackFormat.recognize, PythonFaultFormat.recognize, RustPanicFormat.recognize,
        GoPanicFormat.recognize, SanitizerFormat.recognize, ValgrindXMLFormat.recognize,
        ValgrindTextFormat.recognize, ApportFormat.recognize, AppleCrashFormat.recognize,
    ]

    /// Recognises a payload; what nothing knows is `text` or `binary`.
    ///
    /// - Parameters:
    ///   - head: the first `windowByteCount` bytes of the payload, or all of a smaller one; more is not looked at.
    ///   - isWhole: whether `head` is the entire payload.
    ///   - name: the dropped file's name; may be empty, and any bytes.
    ///   - inflate: inflates at most `limit` bytes of what a gzip prefix holds; `nil` when it is damaged.
    /// - Returns: the format, its MIME type, the kind, and one printable line.
    package static func recognize(
        head: ArraySlice<UInt8>,
        isWhole: Bool,
        name: [UInt8],
        inflate: (_ compressed: ArraySlice<UInt8>, _ limit: Int) -> [UInt8]?
    ) -> Recognition {
        let window = PayloadHead(
            bytes: Array(head.prefix(self.windowByteCount)),
            isWhole: isWhole && head.count <= self.windowByteCount,
            name: ReportFileName(name))
        if GzipFormat.matches(window) {
            return GzipFormat.recognize(window, limit: self.windowByteCount, inflate: inflate, content: self.recognize)
        }
        return self.recognize(window)
    }

    /// Recognises what is not to be inflated (again).
    private static func recognize(_ head: PayloadHead) -> Recognition {
        if head.bytes.isEmpty, head.isWhole {
            return Recognition(
                format: "empty", contentType: ContentType.bytes, kind: .other, from: .default, summary: "empty file")
        }
        if GzipFormat.matches(head) { return GzipFormat.unopened }
        for recognize in self.binaryFormats {
            if let recognition = recognize(head) { return recognition }
        }
        guard let (text, contentType) = PayloadEncoding.decodingByteOrderMark(of: head) else {
            return self.recognizeText(head)
        }
        var recognition = self.recognizeText(text)
        // A byte order mark is no part of JSON or XML for every reader, but of text it is.
        if recognition.contentType != ContentType.bytes { recognition.contentType = contentType }
        return recognition
    }

    private static func recognizeText(_ head: PayloadHead) -> Recognition {
        for recognize in self.textFormats {
            if let recognition = recognize(head) { return recognition }
        }
        return PlainFormat.recognize(head)
    }
}
