import Background
import Glibc
import Testing

struct HTTPDateTests {
    /// Thu, 01 Jan 2026 00:00:00 GMT.
    static let now: Int64 = 1_767_225_600_000

    /// The first form, written by the C library.
    private static func text(_ milliseconds: Int64) -> String {
        var (seconds, parts) = (time_t(milliseconds / 1_000), tm())
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 64)
        let count = strftime(&text, text.count, "%a, %d %b %Y %T GMT", &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    @Test(
        "Known times",
        arguments: [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("Fri, 13 Feb 2009 23:31:30 GMT", 1_234_567_890),
            ("Tue, 19 Jan 2038 03:14:08 GMT", 2_147_483_648),
            ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
            ("Sat, 01 Jan 0000 00:00:00 GMT", -62_167_219_200),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ] as [(String, Int64)])
    func known(text: String, seconds: Int64) {
        #expect(HTTPDate.parse(text, nowMilliseconds: Self.now) == seconds * 1_000)
    }

    @Test("What the C library writes is read, through 800 years and on every day around two ends of centuries")
    func roundTrip() {
        let day: Int64 = 86_400_000
        // The extra 61 s go through all times of the day.
        let wide = stride(from: -400 * 366 * day, to: 400 * 366 * day, by: Int(11 * day + 61_000))
        // Three years around 2000-01-01 and around 2100-01-01.
        let dense = [946_684_800_000, 4_102_444_800_000].flatMap { start in
            (-550..<550).map { start + $0 * day }
        }
        for milliseconds in Array(wide) + dense {
            let text = Self.text(milliseconds)
            guard HTTPDate.parse(text, nowMilliseconds: 0) == milliseconds else {
                Issue.record("\(text) is not \(milliseconds)")
                return
            }
        }
    }

    @Test(
        "The three forms, tolerant of case and of blanks around them",
        arguments: [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
            "sun, 06 nov 1994 08:49:37 gmt", "SUNDAY, 06-NOV-94 08:49:37 GMT", "sUN nOV  6 08:49:37 1994",
            "  Sun, 06 Nov 1994 08:49:37 GMT\t ", "\tSunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994 ",
            "Sun Nov 06 08:49:37 1994",
            // A wrong weekday is still a weekday.
            "Mon, 06 Nov 1994 08:49:37 GMT",
        ])
    func forms(text: String) {
        #expect(HTTPDate.parse(text, nowMilliseconds: Self.now) == 784_111_777_000)
    }

    @Test("asctime with a day of two digits")
    func asctimeTwoDigits() {
        #expect(HTTPDate.parse("Wed Nov 16 08:49:37 1994", nowMilliseconds: 0) == 784_975_777_000)
    }

    @Test(
        "What is not a date of HTTP is nil",
        arguments: [
            "", " ", ",", "Sun", "Sun,", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 08:49:37", "06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT x", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06  Nov 1994 08:49:37 GMT",
            "Sun,06 Nov 1994 08:49:37 GMT", "Sunday, 06 Nov 1994 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37", "Son, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nox 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 32 Dec 1994 08:49:37 GMT", "Wed, 29 Feb 2023 00:00:00 GMT", "Mon, 29 Feb 2100 00:00:00 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov 1994 -8:49:37 GMT", "Sun, 06 Nov 1994 08.49.37 GMT",
            "Sun, 06 Nov 19940 08:49:37 GMT", "Sun Nov 6 08:49:37 1994", "Sun Nov  16 08:49:37 1994",
            "Sun Nov  6 08:49:37 94", "Sun Nov  6 08:49:37 1994 GMT", "Sunday Nov  6 08:49:37 1994",
            "Sun Nov  0 08:49:37 1994", "1994-11-06T08:49:37Z", "784111777", "Sun, ０６ Nov 1994 08:49:37 GMT",
        ])
    func malformed(text: String) {
        #expect(HTTPDate.parse(text, nowMilliseconds: Self.now) == nil)
    }

    @Test("A leap second is the first of the next minute")
    func leapSecond() {
        let next = HTTPDate.parse("Sun, 01 Jan 2017 00:00:00 GMT", nowMilliseconds: 0)
        #expect(HTTPDate.parse("Sat, 31 Dec 2016 23:59:60 GMT", nowMilliseconds: 0) == next)
        #expect(next == 1_483_228_800_000)
    }

    @Test("A two-digit year lies at most 50 years ahead of now, to the second")
    func twoDigitYears() {
        func year(_ text: String, now: String) -> String? {
            guard let now = HTTPDate.parse(now, nowMilliseconds: 0) else { return nil }
            let found = HTTPDate.parse(text, nowMilliseconds: now)
            return found.map { String(Self.text($0).dropFirst(12).prefix(4)) }
        }
        let now = "Mon, 15 Jun 2026 12:00:00 GMT"
        #expect(year("Monday, 15-Jun-26 12:00:00 GMT", now: now) == "2026")
        #expect(year("Monday, 15-Jun-76 12:00:00 GMT", now: now) == "2076")
        #expect(year("Monday, 15-Jun-76 12:00:01 GMT", now: now) == "1976")
        #expect(year("Monday, 31-Dec-75 23:59:59 GMT", now: now) == "2075")
        #expect(year("Monday, 01-Jan-77 00:00:00 GMT", now: now) == "1977")
        #expect(year("Monday, 01-Jan-99 00:00:00 GMT", now: now) == "1999")
        #expect(year("Monday, 01-Jan-00 00:00:00 GMT", now: now) == "2000")
        // Near the end of a century the next one is near.
        #expect(year("Monday, 01-Jan-01 00:00:00 GMT", now: "Fri, 31 Dec 2099 00:00:00 GMT") == "2101")
        #expect(year("Monday, 01-Jan-99 00:00:00 GMT", now: "Fri, 01 Jan 2100 00:00:00 GMT") == "2099")
        #expect(year("Monday, 29-Feb-24 00:00:00 GMT", now: now) == "2024")
        #expect(year("Monday, 29-Feb-23 00:00:00 GMT", now: now) == nil)
    }

    @Test("Clocks at the ends of their range do not trap")
    func extremes() {
        for now in [Int64.min, .min + 1, -1, .max] {
            #expect(HTTPDate.parse("Sunday, 06-Nov-94 08:49:37 GMT", nowMilliseconds: now) != nil)
        }
    }
}
