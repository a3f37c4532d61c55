import Background
import Testing

struct RetryAfterTests {
    /// Sun, 06 Nov 1994 08:49:37 GMT, the time of RFC 9110's examples.
    static let now: Int64 = 784_111_777_000
    static let day: Int64 = 86_400_000

    @Test(
        "Seconds",
        arguments: [
            ("0", 0), ("1", 1_000), ("120", 120_000), ("007", 7_000), (" 120\t", 120_000), ("86400", day),
            ("86401", day), ("99999999999", day), ("9223372036854775807", day), ("9223372036854775808", day),
            ("99999999999999999999", day), (String(repeating: "9", count: 10_000), day),
            ("1.5", 2_000), ("1.0", 1_000), ("0.001", 1_000), ("0.0", 0), ("9223372036854775807.5", day),
            ("1.99999999999999999999999", 2_000),
        ] as [(String, Int64)])
    func seconds(header: String, expected: Int64) {
        #expect(RetryAfter.delay(header: header, date: nil, nowMilliseconds: Self.now) == expected)
        #expect(RetryAfter.delay(header: header, date: "nonsense", nowMilliseconds: .min) == expected)
    }

    @Test(
        "What means nothing is nil",
        arguments: [
            "", " ", "\t", "-1", "-99999999999999999999", "+5", "- 5", "1,5", "1.", ".5", ".", "1.5.5", "1e3", "0x10",
            "12 0", "120s", "120, 60", "٣", "１２", "1\u{7f}", "\n1", "soon", "never", "Sun",
        ])
    func malformed(header: String) {
        #expect(RetryAfter.delay(header: header, date: nil, nowMilliseconds: Self.now) == nil)
    }

    @Test("No field, no wait")
    func absent() {
        #expect(RetryAfter.delay(header: nil, date: "Sun, 06 Nov 1994 08:49:37 GMT", nowMilliseconds: 0) == nil)
    }

    @Test(
        "All three forms of a date, one minute ahead",
        arguments: ["Sun, 06 Nov 1994 08:50:37 GMT", "Sunday, 06-Nov-94 08:50:37 GMT", "Sun Nov  6 08:50:37 1994"])
    func dates(header: String) {
        #expect(RetryAfter.delay(header: header, date: nil, nowMilliseconds: Self.now) == 60_000)
    }

    @Test("A date is taken against the answer's own Date, not against our clock")
    func serversOwnClock() {
        let header = "Sun, 06 Nov 1994 08:50:37 GMT"
        let date = "Sun, 06 Nov 1994 08:50:07 GMT"
        for now in [Self.now, 0, -1, 4_000_000_000_000, .min, .max] {
            #expect(RetryAfter.delay(header: header, date: date, nowMilliseconds: now) == 30_000)
        }
    }

    @Test("A two-digit year is read near the server's Date, also when our clock is back at 1970")
    func twoDigitYear() {
        let header = "Sunday, 22-Nov-26 10:00:10 GMT"
        let date = "Sun, 22 Nov 2026 10:00:00 GMT"
        #expect(RetryAfter.delay(header: header, date: date, nowMilliseconds: 0) == 10_000)
        #expect(RetryAfter.delay(header: header, date: "Sunday, 22-Nov-26 10:00:00 GMT", nowMilliseconds: 0) == 10_000)
    }

    @Test("Without a readable Date our clock counts, parts of a second included")
    func ourClock() {
        let header = "Sun, 06 Nov 1994 08:49:38 GMT"
        for date in [nil, "", "yesterday", "12"] as [String?] {
            #expect(RetryAfter.delay(header: header, date: date, nowMilliseconds: Self.now + 1) == 999)
        }
    }

    @Test("A date that has passed is a wait of nothing")
    func past() {
        let header = "Thu, 01 Jan 1970 00:00:00 GMT"
        #expect(RetryAfter.delay(header: header, date: nil, nowMilliseconds: Self.now) == 0)
        #expect(RetryAfter.delay(header: header, date: nil, nowMilliseconds: .max) == 0)
        #expect(RetryAfter.delay(header: header, date: "Fri, 31 Dec 9999 23:59:59 GMT", nowMilliseconds: 0) == 0)
    }

    @Test("A date far ahead is 24 hours, at the ends of the clock too")
    func farAhead() {
        let header = "Fri, 31 Dec 9999 23:59:59 GMT"
        for now in [Self.now, 0, .min, .min + 1] {
            #expect(RetryAfter.delay(header: header, date: nil, nowMilliseconds: now) == Self.day)
        }
    }

    @Test("A leap second is a second")
    func leapSecond() {
        let header = "Sat, 31 Dec 2016 23:59:60 GMT"
        let date = "Sat, 31 Dec 2016 23:59:00 GMT"
        #expect(RetryAfter.delay(header: header, date: date, nowMilliseconds: 0) == 60_000)
    }
}
