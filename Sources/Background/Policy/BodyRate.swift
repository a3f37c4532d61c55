/// How fast a body went out: so many bytes in so much time.
package struct BodyRate: Hashable, Sendable {
    package let byteCount: Int64
    package let milliseconds: Int64

    /// - Returns: `nil` unless bytes went out and time passed.
    package init?(byteCount: Int64, milliseconds: Int64) {
        guard byteCount > 0, milliseconds > 0 else { return nil }
        self.byteCount = byteCount
        self.milliseconds = milliseconds
    }

    /// How long a body needs at this rate, in milliseconds, rounded up.
    package func need(for bodyByteCount: Int64) -> Int64 {
        let need = Double(max(0, bodyByteCount)) * Double(milliseconds) / Double(byteCount)
        return need < Double(Int64.max / 2) ? Int64(need.rounded(.up)) : .max / 2
    }

    /// For people: "256 KiB/s".
    package var text: String {
        let perSecond = Double(byteCount) * 1_000 / Double(milliseconds)
        let (kibi, mebi) = (perSecond / 1_024, perSecond / 1_048_576)
        if mebi >= 9.95 { return "\(Int64(min(mebi, 1e12).rounded())) MiB/s" }
        if kibi >= 1_023.5 {
            let tenths = Int64((mebi * 10).rounded())
            return "\(tenths / 10).\(tenths % 10) MiB/s"
        }
        return kibi >= 1 ? "\(Int64(kibi.rounded())) KiB/s" : "\(max(1, Int64(perSecond.rounded()))) B/s"
    }
}

/// A length of time in words.
enum PlainTime {
    /// To the nearest second below two minutes, minute below two hours, else hour; never nothing.
    static func text(_ milliseconds: Int64) -> String {
        let seconds = max(1, (max(0, milliseconds) + 500) / 1_000)
        if seconds < 120 { return "\(seconds) s" }
        let minutes = (seconds + 30) / 60
        return minutes < 120 ? "\(minutes) min" : "\((minutes + 30) / 60) h"
    }
}
