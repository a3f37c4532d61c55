import Diagnosis
import DurableIO
import Testing

@Suite("JSON and terminals")
struct JSONEscapingTests {
    @Test("exactly the characters that steer a terminal are escaped")
    func sameRule() {
        for value in UInt32(0)...0x1_ffff {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = JSONValue.string(String(Character(scalar))).description
            #expect(text.hasPrefix("\"\\u") == scalar.steersTerminals, "U+\(String(value, radix: 16))")
        }
    }
}
