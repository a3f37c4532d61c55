/// What Apple's reports write in words of their own.
extension AppleNames {
    /// The name and the version in `macOS 12.3.1 (21E258)` or `iPhone OS 26.3 (23D5110)`.
    static func system(_ text: String?, architecture: String? = nil) -> Crash.System {
        var system = Crash.System(architecture: architecture.map(self.architecture))
        guard let text = text?.nonEmpty else { return system }
        let words = text.split(separator: " ")
        let name = words.prefix { $0.utf8.first?.isDigit == false && $0.utf8.first != UInt8(ascii: "(") }
        system.name = name.joined(separator: " ").nonEmpty
        system.version = words[name.endIndex...].joined(separator: " ").nonEmpty
        return system
    }

    /// `ARM-64` and `X86-64` as everybody else writes them.
    private static func architecture(_ text: String) -> String {
        switch text {
        case "ARM-64": "arm64"
        case "X86-64": "x86_64"
        default: text
        }
    }

    /// A UUID as hexadecimal digits; `nil` for none, and for zeros.
    static func buildID(_ uuid: String?) -> String? {
        guard let uuid else { return nil }
        let digits = uuid.utf8.prefix(64).filter { $0.hexValue != nil }.map { $0 < 0x41 ? $0 : $0 | 0x20 }
        return digits.contains { $0 != UInt8(ascii: "0") } ? String(decoding: digits, as: UTF8.self) : nil
    }

    /// The beginning of a summary: `NAME VERSION[PROCESS]: `, without what is not known.
    static func beginning(_ crash: Crash) -> String {
        let name = Words.join(crash.program, crash.program == nil ? nil : crash.version, separator: " ")
        let subject = name + (crash.process.map { "[\($0)]" } ?? "")
        return subject.isEmpty ? "" : "\(subject): "
    }
}
