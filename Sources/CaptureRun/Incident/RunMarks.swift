import DurableIO

/// What the file of a run's lock holds: whether the program was started, and when somebody last asked it to end.
///
/// Both stand at fixed places in bytes that are laid down when the file is made, so that a disk that is full by then
/// keeps neither from being noted.
struct RunMarks: Equatable {
    /// Whether there was a program, as far as its watcher could say before it died.
    var hasStarted = false
    /// When the last request to end came, in milliseconds since 1970; `nil` for never.
    var request: Int64?

    /// Where the time of the request begins. The first byte is the sign that the program was started.
    static let requestPlace: UInt64 = 2
    private static let requestDigitCount = 16

    init() {}

    init(_ bytes: [UInt8]) {
        hasStarted = bytes.first == UInt8(ascii: "1")
        let digits = bytes.dropFirst(Int(Self.requestPlace)).prefix(Self.requestDigitCount)
        request = Int64(String(decoding: digits, as: UTF8.self)).flatMap { $0 > 0 ? $0 : nil }
    }

    /// All bytes of a new file.
    static let none = Array("0 ".utf8) + bytes(ofRequest: 0) + [0x0a]

    /// The time of a request as it stands in the file.
    static func bytes(ofRequest milliseconds: Int64) -> [UInt8] {
        let digits = String(max(0, milliseconds)).utf8.suffix(requestDigitCount)
        return Array(repeating: UInt8(ascii: "0"), count: requestDigitCount - digits.count) + digits
    }
}
