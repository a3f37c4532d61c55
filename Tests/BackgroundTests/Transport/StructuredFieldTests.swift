import Background
import Digests
import DurableIO
import HTTPTypes
import TestSupport
import Testing

/// The fields that are structured by RFC 9651: as they are written, and as a server may write them.
@Suite("Structured fields")
struct StructuredFieldTests {
    private static func fields(_ value: String) -> HTTPFields { [.uploadLimit: value] }

    @Test("what is written has the one form of the grammar")
    func written() throws {
        let hash = ContentHash(of: Array("abc".utf8))
        #expect(StructuredField.string("0123 ~") == #""0123 ~""#)
        #expect(StructuredField.string(#"a"b\c"#) == #""a\"b\\c""#)
        #expect(StructuredField.boolean(true) == "?1")
        #expect(StructuredField.boolean(false) == "?0")
        #expect(StructuredField.digest(hash) == "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:")
        for text in ["é", "\n", "\u{7f}"] { #expect(StructuredField.string(text) == nil) }
        #expect(StructuredField.dictionary([:]) == "")
    }

    @Test("a key that no dictionary can have leaves its member out, and nothing else")
    func strangeKeys() {
        let texts = ["a b": "1", "a\r\nX-Evil: 1": "2", "é": "3", "a=b": "4", "": "5", "Good": "6"]
        #expect(StructuredField.dictionary(texts) == #"*="5", good="6""#)
    }

    @Test("a digest written here is read here")
    func ownDigest() throws {
        for count in 0..<40 {
            let hash = ContentHash(of: [UInt8](repeating: 7, count: count))
            #expect(Self.fields(try #require(StructuredField.digest(hash))).digest(of: .uploadLimit) == hash)
        }
    }

    static let digest = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"

    @Test(
        "a digest is found among members of every type, whatever stands in their texts",
        arguments: [
            digest, "sha-512=:AA==:, \(digest)", "\(digest);a=1;b", "  \(digest)  ", "\(digest),\tx",
            "x=(1 2);q, \(digest)",
            #"note="a, sha-256=:AA==:, \", b", \#(digest)"#, #"u=%"%c3%a9, sha-256=1", \#(digest)"#,
            "sha-256=:AA==:, \(digest)", "d=@1659578233, n=-1.5, t=tok/en, \(digest)",
        ])
    func foundDigests(value: String) {
        #expect(Self.fields(value).digest(of: .uploadLimit)?.hex.hasPrefix("ba7816bf") == true)
    }

    @Test(
        "a digest in a field that breaks the grammar, or in no form of its own, is none",
        arguments: [
            "", "sha-256", "sha-256=", "sha-256=::", "sha-256=:AA==:", "sha-256=\"ungW\"", "SHA-256=:ungWv48B:",
            String(digest.dropLast()), String(digest.dropLast(2)) + ":", digest + ",", digest + " x",
            "x=\"a, " + digest,
            digest + ", x=\"a", digest.replacing("48B", with: "4=B"), digest.replacing("AFa0=", with: "AFa1="),
            digest.replacing("/Y", with: "_Y"), "note=\"é\", " + digest, "(" + digest,
        ])
    func noDigest(value: String) {
        #expect(Self.fields(value).digest(of: .uploadLimit) == nil)
    }

    @Test("integers of a dictionary are found by their keys, and other members may be of any type")
    func numbers() {
        let fields = Self.fields(#"note="max=1, min=2", max=30;x, min=0, other=1.5, max=40, list=(1 2)"#)
        #expect(fields.wholeNumbers(of: ["max", "min", "none"], in: .uploadLimit) == ["max": 40, "min": 0])
        #expect(Self.fields("").wholeNumbers(of: ["max"], in: .uploadLimit) == [:])
        #expect(HTTPFields().wholeNumbers(of: ["max"], in: .uploadLimit) == nil)
        for value in ["max=-1", "max=1.0", "max=\"1\"", "max", "max=(1)", "max=1000000000000000", "max=+1", "max=1,,"] {
            #expect(Self.fields(value).wholeNumbers(of: ["max"], in: .uploadLimit) == nil, "\(value)")
        }
    }

    @Test("an item is one item: of its type, once, and nothing behind it")
    func items() {
        #expect(Self.fields("007;a=b").wholeNumber(of: .uploadLimit) == 7)
        #expect(Self.fields("999999999999999").wholeNumber(of: .uploadLimit) == 999_999_999_999_999)
        for value in ["", "-1", "1.0", "1 2", "1, 1", "1000000000000000", "a", "+1", "0x1", "?1"] {
            #expect(Self.fields(value).wholeNumber(of: .uploadLimit) == nil, "\(value)")
        }
        #expect(Self.fields("?1").boolean(of: .uploadLimit) == true)
        #expect(Self.fields("?0;a").boolean(of: .uploadLimit) == false)
        for value in ["", "1", "?2", "?", "true", "?1, ?1", "?1?1"] {
            #expect(Self.fields(value).boolean(of: .uploadLimit) == nil, "\(value)")
        }
    }

    @Test("a field as long as a server can make it costs no time, and is none")
    func long() {
        let keys = (0..<20_000).map { "k\($0)" }
        let fields = Self.fields((keys + ["max=1"]).joined(separator: ","))
        #expect(fields.wholeNumbers(of: ["max"], in: .uploadLimit) == nil)
        let spaces = String(repeating: " ", count: StructuredField.maximumByteCount - "a,max=1".utf8.count)
        #expect(Self.fields("a,\(spaces)max=1").wholeNumbers(of: ["max"], in: .uploadLimit) == ["max": 1])
        #expect(Self.fields("a,\(spaces) max=1").wholeNumbers(of: ["max"], in: .uploadLimit) == nil)
    }

    @Test("no bytes end the process, and what is read of noise is what a field of its own would say")
    func noise() {
        var generator = SeededGenerator(seed: 16)
        let alphabet = Array(#"ab=:,;"\?01 %()@-.*/+sha-256"#)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...24, using: &generator)
            let value = String((0..<count).compactMap { _ in alphabet.randomElement(using: &generator) })
            let fields = Self.fields(value)
            _ = fields.boolean(of: .uploadLimit)
            _ = fields.wholeNumber(of: .uploadLimit)
            #expect(fields.digest(of: .uploadLimit) == nil)
            if let numbers = fields.wholeNumbers(of: ["a", "b"], in: .uploadLimit) {
                for (key, number) in numbers { #expect(value.contains(key) && number < 1_000_000_000_000_000) }
            }
        }
    }
}
