/// What two crashes of the same fault have in common: the text that a signature is the digest of.
///
/// It holds the family of the format, the program, the type of the cause and the functions of up to five frames, and
/// nothing that differs from run to run: no address, no line, no number of a process. The frames are the first five of
/// the program's own code. A frame without a function counts by its place in its module, which is the same in each run
/// of the same build. Where no frame has either, as in a panic without a stack, the place in the source counts.
package struct Signature: Sendable, Hashable {
    /// How many frames count.
    package static let frameCount = 5

    /// What is digested.
    package let text: String

    /// `nil` where no frame is the program's own: crashes that have nothing but the same frames of a library may be
    /// different faults.
    /// - Parameters:
    ///   - crash: the crash.
    ///   - family: the name of the format family, for example `swift` for all of Swift's forms.
    package init?(of crash: Crash, family: String) {
        let own = (crash.crashedThread?.frames ?? []).lazy.filter(\.isOwn)
        var frames = Array(own.compactMap(Self.name).prefix(Self.frameCount))
        if frames.isEmpty { frames = Array(own.compactMap(Self.source).prefix(1)) }
        guard !frames.isEmpty else { return nil }
        // None of the parts can hold the character between them.
        let parts = [family, crash.program ?? "", crash.cause.type] + frames
        self.text = parts.map { String(decoding: $0.utf8.filter { $0 != 0 }, as: UTF8.self) }.joined(separator: "\u{0}")
    }

    private static func name(of frame: Crash.Frame) -> String? {
        if let function = frame.function?.nonEmpty { return self.withoutNumbers(function) }
        guard let module = frame.module?.nonEmpty, let offset = frame.moduleOffset else { return nil }
        return "\(module.lastPathComponent)+0x\(String(offset, radix: 16))"
    }

    private static func source(of frame: Crash.Frame) -> String? {
        guard let file = frame.file?.nonEmpty, let line = frame.line else { return nil }
        return "\(file.lastPathComponent):\(line)"
    }

    /// The function's name without what compilers and runtimes add anew in each build or run: an offset into the
    /// function, hexadecimal numbers, and the hash at the end of a Rust name.
    private static func withoutNumbers(_ function: String) -> String {
        var bytes = Array(function.utf8)[...]
        if let plus = bytes.lastRange(of: " + "), bytes[plus.upperBound...].allSatisfy(\.isDigit) {
            bytes = bytes[..<plus.lowerBound]
        }
        if let hash = bytes.lastRange(of: "::h"), bytes[hash.upperBound...].count == 16,
            bytes[hash.upperBound...].allSatisfy({ $0.hexValue != nil })
        {
            bytes = bytes[..<hash.lowerBound]
        }
        var kept: [UInt8] = []
        while let number = bytes.range(of: "0x") {
            kept += bytes[..<number.lowerBound]
            bytes = bytes[number.upperBound...].drop { $0.hexValue != nil }
        }
        return String(decoding: kept + bytes, as: UTF8.self)
    }
}
