import Diagnosis

/// Diagnoses bytes as a collector does, which sees the beginning and the end of a large payload.
///
/// Every gzip payload "inflates" to `content`.
func recognize(_ bytes: [UInt8], name: String = "", content: [UInt8]? = nil) -> Diagnosis {
    let window = PayloadWindow(
        head: bytes.prefix(PayloadWindow.headByteCount), tail: bytes.suffix(PayloadWindow.tailByteCount),
        byteCount: bytes.count, name: Array(name.utf8))
    return Diagnosis.recognize(window) { _, limit in content.map { Array($0.prefix(limit)) } }
}

/// Diagnoses text; see above.
func recognize(_ text: String, name: String = "") -> Diagnosis {
    recognize(Array(text.utf8), name: name)
}
