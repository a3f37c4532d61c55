import Digests
import DurableIO
import Testing

@testable import Reports

/// The bytes of a form, read by the rules of RFC 7578 and RFC 2046.
@Suite("Multipart forms")
struct MultipartFormTests {
    private static let dump = Array("MDMP\u{0}\r\n--reports-\r\n".utf8)

    private static func form(_ fields: [(String, String)]) -> MultipartForm {
        MultipartForm(
            fields: fields.map { MultipartForm.Field(name: $0, value: $1) }, file: "upload_file_minidump",
            fileName: "1234.dmp", hash: ContentHash(of: dump))
    }

    @Test("all bytes of a form, as they are sent")
    func bytes() {
        let form = Self.form([("prod", "shop"), ("ver", "2.1")])
        let boundary = form.boundary
        let text = """
            --\(boundary)\r
            Content-Disposition: form-data; name="prod"\r
            \r
            shop\r
            --\(boundary)\r
            Content-Disposition: form-data; name="ver"\r
            \r
            2.1\r
            --\(boundary)\r
            Content-Disposition: form-data; name="upload_file_minidump"; filename="1234.dmp"\r
            Content-Type: application/octet-stream\r
            \r

            """
        #expect(String(decoding: form.beginning, as: UTF8.self) == text)
        #expect(form.end == Array("\r\n--\(boundary)--\r\n".utf8))
        #expect(form.contentType == "multipart/form-data; boundary=\(boundary)")
    }

    @Test("a boundary has a form that every receiver takes, is the same each time, and another for another file")
    func boundary() {
        let boundary = Self.form([("prod", "shop")]).boundary
        #expect(boundary.hasPrefix("reports-"))
        #expect(boundary.utf8.count == 32)
        #expect(boundary.dropFirst(8).utf8.allSatisfy { $0.isLowerHexDigit })
        #expect(Self.form([("prod", "shop")]).boundary == boundary)
        #expect(Self.form([("prod", "cart")]).boundary == boundary)
        let other = MultipartForm(fields: [], file: "f", fileName: "f", hash: ContentHash(of: [1]))
        #expect(other.boundary != boundary)
    }

    @Test("a field that holds the boundary gets another one, also the next, and by its name")
    func heldBoundary() throws {
        let first = Self.form([]).boundary
        let second = Self.form([("comments", "a\r\n--\(first)--\r\nb")]).boundary
        #expect(second != first)
        let third = Self.form([("comments", first), (second, "x")]).boundary
        #expect(third != first && third != second)
        let parts = try Self.parts(of: Self.form([("comments", "\r\n--\(first)\r\n\r\n"), (second, "x")]))
        #expect(parts.map(\.name) == ["comments", second, "upload_file_minidump"])
        #expect(parts[0].value == "\r\n--\(first)\r\n\r\n")
    }

    @Test(
        "no name and no value gets out of its part",
        arguments: [
            "plain", "", "\r\n", "\r\n\r\n--reports-", "\"; filename=\"evil.exe", "%0D%22", "größe 🦀",
            "\u{0}\u{1b}[31m",
            "Content-Type: text/html", "--", "a\nb", "\u{2028}", "CrashID=bp-1",
        ])
    func hostile(text: String) throws {
        let parts = try Self.parts(of: Self.form([(text, "1"), ("annotation", text), ("last", "2")]))
        #expect(parts.count == 4)
        #expect(Array(parts[1].value.utf8) == Array(text.utf8))
        #expect(parts.map(\.headerCount) == [1, 1, 1, 2])
        let escaped = String(text.unicodeScalars.filter { $0 == "%" || $0 == "\"" || $0.value < 0x20 }.prefix(1))
        #expect(escaped.isEmpty || !parts[0].name.contains(escaped) || escaped == "%")
        #expect(PercentEncoding.decode(parts[0].name[...]) == text)
        #expect(parts[2].name == "last" && parts[2].value == "2")
        #expect(Array(parts[3].value.utf8) == Self.dump)
    }

    // MARK: - Reading

    private struct Part {
        var name: String
        var value: String
        var headerCount: Int
    }

    /// Reads a form as a receiver does: by the boundary alone.
    private static func parts(of form: MultipartForm) throws -> [Part] {
        let body = String(decoding: form.beginning + dump + form.end, as: UTF8.self)
        var pieces = "\r\n\(body)".split(separator: "\r\n--\(form.boundary)", omittingEmptySubsequences: false)
        #expect(pieces.removeFirst().isEmpty)
        #expect(pieces.removeLast() == "--\r\n")
        return try pieces.map { piece in
            let head = try #require(piece.ranges(of: "\r\n\r\n").first)
            let lines = piece[..<head.lowerBound].split(separator: "\r\n")
            let marks = try #require(lines.first).split(separator: "name=\"", maxSplits: 1)
            let name = marks.count < 2 ? "" : String(marks[1].prefix { $0 != "\"" })
            return Part(name: name, value: String(piece[head.upperBound...]), headerCount: lines.count)
        }
    }
}
