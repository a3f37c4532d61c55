import Background
import Testing

struct ResponseDispositionTests {
    /// Every status from 100 to 599 exactly once, written by hand from the design.
    static let table: [(statuses: ClosedRange<Int>, meaning: ResponseDisposition)] = [
        (100...199, .rejected),
        (200...299, .delivered),
        (300...399, .hold(.redirect)),
        (400...400, .rejected),
        (401...401, .hold(.auth)),
        (402...402, .rejected),
        (403...403, .hold(.forbidden)),
        (404...406, .rejected),
        (407...407, .hold(.auth)),
        (408...408, .notNow),
        (409...409, .wait),
        (410...414, .rejected),
        (415...415, .hold(.encoding)),
        (416...424, .rejected),
        (425...425, .notNow),
        (426...428, .rejected),
        (429...429, .notNow),
        (430...499, .rejected),
        (500...500, .notNow),
        (501...501, .rejected),
        (502...504, .notNow),
        (505...506, .rejected),
        (507...507, .notNow),
        (508...508, .rejected),
        (509...509, .notNow),
        (510...510, .rejected),
        (511...511, .hold(.portal)),
        (512...519, .rejected),
        (520...530, .notNow),
        (531...597, .rejected),
        (598...599, .notNow),
    ]

    @Test("Every status from 100 to 599 has the meaning the design gives it")
    func everyStatus() {
        #expect(Self.table.flatMap { Array($0.statuses) } == Array(100...599))
        for (statuses, meaning) in Self.table {
            for status in statuses {
                for (isPlainHTTP, isLoopbackHost) in [(false, false), (false, true), (true, false), (true, true)] {
                    let found = ResponseDisposition.of(
                        status: status, contentType: "application/json", isPlainHTTP: isPlainHTTP,
                        isLoopbackHost: isLoopbackHost)
                    #expect(found == meaning, "\(status)")
                }
            }
        }
    }

    @Test(
        "A status outside the protocol rejects and never traps",
        arguments: [Int.min, -200, -1, 0, 99, 600, 999, Int.max])
    func strangeStatus(status: Int) {
        let found = ResponseDisposition.of(
            status: status, contentType: nil, isPlainHTTP: true, isLoopbackHost: false)
        #expect(found == .rejected)
    }

    @Test(
        "HTML under a 200 over plain http is a captive portal",
        arguments: [
            "text/html", "text/html; charset=utf-8", "TEXT/HTML;charset=UTF-8", " text/html ;q=1",
            "application/xhtml+xml",
        ])
    func portal(contentType: String) {
        func found(_ status: Int, plain: Bool, loopback: Bool) -> ResponseDisposition {
            .of(status: status, contentType: contentType, isPlainHTTP: plain, isLoopbackHost: loopback)
        }
        #expect(found(200, plain: true, loopback: false) == .hold(.portal))
        #expect(found(200, plain: true, loopback: true) == .delivered)
        #expect(found(200, plain: false, loopback: false) == .delivered)
        #expect(found(201, plain: true, loopback: false) == .delivered)
        #expect(found(404, plain: true, loopback: false) == .rejected)
    }

    @Test(
        "A 200 that is not HTML is a delivery, over plain http too",
        arguments: [nil, "", "text/plain", "application/json", "text/htmlx", "x-text/html", ";text/html"] as [String?])
    func notAPortal(contentType: String?) {
        let found = ResponseDisposition.of(
            status: 200, contentType: contentType, isPlainHTTP: true, isLoopbackHost: false)
        #expect(found == .delivered)
    }

    @Test("429, 503 and every Retry-After close the origin until then")
    func closing() {
        for status in 100...599 {
            let bare = ResponseDisposition.closesOriginUntilDue(status: status, retryAfter: nil)
            #expect(bare == (status == 429 || status == 503), "\(status)")
            #expect(ResponseDisposition.closesOriginUntilDue(status: status, retryAfter: 0), "\(status)")
        }
    }

    @Test("Only forbidden, acknowledgement, poison, caller and route are about the item alone")
    func reasons() {
        let itemsOwn = HoldReason.allCases.filter { !$0.closesOrigin }
        #expect(itemsOwn == [.forbidden, .acknowledgement, .poison, .caller, .route])
        // Stored in ledgers and read by people.
        let names = [
            "auth", "tls", "redirect", "portal", "encoding", "rejecting", "forbidden", "acknowledgement", "poison",
            "caller", "destination", "clock", "route",
        ]
        #expect(HoldReason.allCases.map(\.rawValue) == names)
    }
}
