import Background
import HTTPTypes
import TestSupport
import Testing

/// What servers and old files can make of the engine's small parsers: no trap, no value out of its bounds.
@Suite("Parsers under random input")
struct ParserFuzzTests {
    private static let seeds = [
        "120", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "99999999999999999999", "-1", "1.5", "Fri, 31 Dec 9999 23:59:60 GMT",
    ]

    @Test("Retry-After is nothing, or between 0 and 24 h", arguments: 0..<8)
    func retryAfter(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<4_000 {
            let header = Self.mutated(Self.seeds[seed], &generator)
            let date = Bool.random(using: &generator) ? Self.mutated(Self.seeds[1], &generator) : nil
            let now = Int64.random(in: .min ... .max, using: &generator)
            let delay = RetryAfter.delay(header: header, date: date, nowMilliseconds: now)
            #expect(delay.map { (0...86_400_000).contains($0) } ?? true, "\(header)")
        }
    }

    @Test(
        "an endpoint is refused, or has a host and a port",
        arguments: [
            "http://127.0.0.1:8080/reports/{id}", "https://[::1]:443/x?y#z", "https://user:pass@example.com/",
        ])
    func endpoint(text: String) {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<4_000 {
            guard let endpoint = try? Endpoint(Self.mutated(text, &generator)) else { continue }
            #expect(!endpoint.host.isEmpty && (1...65_535).contains(endpoint.port) && endpoint.path.hasPrefix("/"))
            #expect(!endpoint.description.contains("@") || endpoint.path.contains("@"))
        }
    }

    @Test("a stored answer is read as written, and anything else without a trap")
    func storedAnswer() {
        var generator = SeededGenerator(seed: 11)
        let text = "201\nLocation: /x\nRetry-After: 3\nX: a: b"
        #expect(StoredAnswer(text: text)?.text == text)
        for _ in 0..<4_000 { _ = StoredAnswer(text: Self.mutated(text, &generator)) }
    }

    /// Characters changed, dropped, doubled and put in.
    private static func mutated(_ text: String, _ generator: inout SeededGenerator) -> String {
        var scalars = Array(text.unicodeScalars)
        for _ in 0..<Int.random(in: 0...4, using: &generator) where !scalars.isEmpty {
            let index = Int.random(in: 0..<scalars.count, using: &generator)
            let other = Unicode.Scalar(UInt8.random(in: 0...255, using: &generator))
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: scalars[index] = other
            case 1: scalars.remove(at: index)
            case 2: scalars.insert(other, at: index)
            default: scalars.insert(scalars[index], at: index)
            }
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
