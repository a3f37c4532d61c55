import DurableIO

/// Texts from outside, made fit for a terminal: nothing that moves the cursor, changes colours or reverses the line.
package enum Printable {
    package static func text(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            result.append(scalar.steersTerminals ? "\u{fffd}" : scalar)
        }
        return String(result)
    }

    package static func text(_ bytes: [UInt8]) -> String {
        text(String(decoding: bytes, as: UTF8.self))
    }
}
