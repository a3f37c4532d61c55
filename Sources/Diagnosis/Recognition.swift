extension Diagnosis {
    /// Inflates the beginning of a gzip file.
    /// - Parameters:
    ///   - compressed: the first bytes of the file.
    ///   - limit: the most bytes to give out.
    /// - Returns: `nil` when the file is damaged from its beginning on.
    package typealias Inflate = (_ compressed: ArraySlice<UInt8>, _ limit: Int) -> [UInt8]?

    /// Tells what a payload is, and reads the crash in it.
    ///
    /// Works on anything: every read is checked, nothing recurses with the input, and time and memory are bounded by
    /// the window. A document that is cut or damaged gives what can be read. What no format knows is `text` or
    /// `binary`.
    ///
    /// - Parameters:
    ///   - window: the beginning and the end of the payload, and its name.
    ///   - inflate: inflates what is in a gzip file. What is in there may not be inflated again.
    /// - Returns: the diagnosis; its crash keeps to ``Crash/Bounds``.
    package static func recognize(_ window: PayloadWindow, inflate: Inflate) -> Diagnosis {
        var diagnosis =
            GzipFormat.matches(window)
            ? GzipFormat.read(window, inflate: inflate, content: self.ofContent) : self.ofContent(of: window)
        diagnosis.crash = diagnosis.crash?.bounded()
        return diagnosis
    }

    /// Tells what a payload is that is not to be inflated (again).
    private static func ofContent(of window: PayloadWindow) -> Diagnosis {
        if window.byteCount == 0 {
            return Diagnosis(
                format: "empty", contentType: ContentType.bytes, kind: .other, isAssumed: true, summary: "empty file")
        }
        if GzipFormat.matches(window) { return GzipFormat.unopened }
        for format in BinaryFormats.all {
            if let diagnosis = format.read(window) { return diagnosis }
        }
        guard let (text, contentType) = TextEncoding.decodingByteOrderMark(of: window) else {
            return self.ofText(in: window)
        }
        var diagnosis = self.ofText(in: text)
        // A byte order mark is no part of JSON or XML for every reader, but of text it is.
        if diagnosis.contentType != ContentType.bytes { diagnosis.contentType = contentType }
        return diagnosis
    }

    private static func ofText(in window: PayloadWindow) -> Diagnosis {
        if let diagnosis = JSONDocument.read(window) { return diagnosis }
        // The words of all crashes stand in programs' files, too. A log may have NUL characters where a disk lost what
        // was written last.
        let hasNUL = window.head.withView { $0.contains(0) } || window.tail.withView { $0.contains(0) }
        if hasNUL, !TextEncoding.isUTF8(window) { return PlainFormat.read(window) }
        guard var diagnosis = TextFormats.read(window) else { return PlainFormat.read(window) }
        if diagnosis.contentType == ContentType.text, !TextEncoding.isUTF8(window) {
            diagnosis.contentType = ContentType.textOfUnknownEncoding
        }
        return diagnosis
    }
}
