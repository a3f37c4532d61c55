import Background
import Testing

/// What people are shown of an address that a stranger wrote.
@Suite("Addresses that servers name")
struct ForeignAddressTests {
    private static func text(_ location: String) throws -> String? {
        ForeignAddress(location, from: try Endpoint("https://a.example/v1/reports?key=1"))?.description
    }

    @Test(
        "are resolved against the URL that was asked, and lose query, fragment and user name",
        arguments: [
            ("https://b.example/v2/reports", "https://b.example/v2/reports"),
            ("https://b.example/v2?token=secret", "https://b.example/v2"),
            ("https://b.example/v2#secret", "https://b.example/v2"),
            ("https://me:secret@b.example:8443/v2", "https://b.example:8443/v2"),
            ("https://secret@c@b.example/v2", "https://b.example/v2"),
            ("//me:secret@b.example/v2", "https://b.example/v2"), ("/v2?x=secret", "https://a.example/v2"),
            ("next", "https://a.example/v1/next"), ("?page=secret", "https://a.example/v1/reports"),
            ("  https://b.example/", "https://b.example/"), ("HTTP://B.Example", "http://b.example/"),
            ("/of/me@home", "https://a.example/of/me@home"),
        ])
    func resolved(location: String, expected: String) throws {
        #expect(try Self.text(location) == expected)
    }

    @Test(
        "that are none are shown as they came, without what may be a password",
        arguments: [
            ("ftp://me:secret@b.example/x", "ftp://b.example/x"), ("mailto:me@b.example", "mailto:b.example"),
            ("https://b.example:99999/", "https://b.example:99999/"), ("http://", "http://"),
            ("https://b .example/", "https://b .example/"), ("\\\\me:secret@b.example\\x", "\\\\b.example\\x"),
            ("https://b.example/\u{1b}[31mred\u{7f}", "https://b.example/\u{fffd}[31mred\u{fffd}"),
            ("https://b.example/\u{202e}cba", "https://b.example/\u{fffd}cba"),
        ])
    func unresolved(location: String, expected: String) throws {
        #expect(try Self.text(location) == expected)
    }

    @Test("are cut, however long they are")
    func long() throws {
        let text = try #require(try Self.text("https://b.example/" + String(repeating: "a", count: 64 << 10)))
        #expect(text.count == ForeignAddress.longest + 1)
        #expect(text.hasPrefix("https://b.example/aaa") && text.hasSuffix("…"))
    }

    @Test("that are empty are none", arguments: ["", " ", "\t "])
    func empty(location: String) throws {
        #expect(try Self.text(location) == nil)
    }

    @Test(
        "in a portal's page are where one logs in",
        arguments: [
            (
                #"<meta http-equiv="refresh" content="0; url=https://login.example.net/?s=secret">"#,
                "https://login.example.net/"
            ),
            ("<META HTTP-EQUIV='refresh' CONTENT='0; URL=/login'>", "http://a.example/login"),
            ("<a class=x HREF='//login.example/x'>log in</a>", "http://login.example/x"),
            ("<a href=login>", "http://a.example/login"), ("<html>no address</html>", nil), ("url=", nil), ("", nil),
            ("<a href=\"x\u{1b}[2J\">", "http://a.example/x"),
        ])
    func portal(page: String, expected: String?) throws {
        let asked = try Endpoint("http://a.example/reports")
        let found = PortalPage.loginAddress(location: nil, body: Array(page.utf8), from: asked)
        #expect(found?.description == expected)
        let named = PortalPage.loginAddress(location: "http://b.example/in?x", body: Array(page.utf8), from: asked)
        #expect(named?.description == "http://b.example/in")
    }
}
