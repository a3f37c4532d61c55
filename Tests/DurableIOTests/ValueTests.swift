import Digests
import DurableIO
import Foundation
import TestSupport
import Testing

@Suite("Names, hashes and times")
struct ValueTests {
    // MARK: - Names

    @Test("a name is never empty, a way out, or more than one entry", arguments: ["", ".", "..", "a/b", "/", "a\0b"])
    func badNames(text: String) {
        #expect(EntryName(text) == nil)
    }

    @Test("a name keeps its bytes, and is text only when it is UTF-8")
    func names() throws {
        #expect(("é" as EntryName).string == "é")
        let odd = try #require(EntryName(bytes: [0x61, 0xff]))
        #expect(odd.string == nil)
        #expect(odd.description == "a\u{fffd}")
        #expect(odd.withCString { strlen($0) } == 2)
        #expect(("..." as EntryName).isHidden)
        #expect(("a.tmp" as EntryName).hasSuffix(".tmp"))
        #expect(!("tmp" as EntryName).hasSuffix(".tmp"))
    }

    @Test("names sort by their bytes")
    func order() throws {
        let names = try [[0x80], [0x7a], [0x61, 0x62], [0x61], [0x61, 0x61, 0x7a]].map {
            try #require(EntryName(bytes: $0))
        }
        #expect(names.sorted().map(\.bytes) == [[0x61], [0x61, 0x61, 0x7a], [0x61, 0x62], [0x7a], [0x80]])
        #expect(!(names[0] < names[0]))
    }

    // MARK: - Hashes

    /// From FIPS 180-4's examples.
    static let vectors: [(text: String, hex: String, base64: String)] = [
        (
            "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        ),
        (
            "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
        ),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            "JI1qYdIGOLjlwCaTDD5gOaM85Flk/yFn9uzt1BnbBsE="
        ),
    ]

    @Test("SHA-256 gives the known answers, in one piece or many", arguments: vectors)
    func hash(text: String, hex: String, base64: String) throws {
        let bytes = Array(text.utf8)
        let whole = ContentHash(of: bytes)
        #expect(whole.hex == hex)
        #expect(whole.base64 == base64)
        var hasher = ContentHash.Hasher()
        for byte in bytes { hasher.update([byte]) }
        #expect(hasher.finish() == whole)
        #expect(ContentHash(hex: hex) == whole)
        #expect(ContentHash(bytes: whole.bytes) == whole)
    }

    @Test("a hasher goes on after it was asked")
    func hasherGoesOn() {
        var hasher = ContentHash.Hasher()
        hasher.update(Array("a".utf8))
        _ = hasher.finish()
        hasher.update(Array("bc".utf8))
        #expect(hasher.finish().hex == Self.vectors[1].hex)
    }

    @Test("only 64 lower-case digits are a hash")
    func notHashes() {
        let good = Self.vectors[0].hex
        for text in [good.uppercased(), String(good.dropLast()), good + "0", "g" + good.dropFirst(), ""] {
            #expect(ContentHash(hex: text) == nil)
        }
        #expect(ContentHash(bytes: [UInt8](repeating: 0, count: 31)) == nil)
    }

    @Test("base64 as RFC 4648 has it", arguments: ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"])
    func base64(text: String) {
        let bytes = Array("foobar".utf8.prefix(text.filter { $0 != "=" }.count * 6 / 8))
        #expect(Base64.encode(bytes) == text)
        #expect(Base64.decode(text) == bytes)
    }

    @Test(
        "base64 is read as it is written, and in no other form",
        arguments: [
            "Zm9v!", "Zg", "Zg=", "Zg===", "=", "==", "====", "=Zg=", "Z=g=", "Z===", "Zm9v=", "Zg==Zg==", "Zh==",
            "Zm9=", "Zm-_", " Zg==", "Zg==\n", "Zm\n9v", "Zm9v\0", "Zm9é",
        ])
    func notBase64(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test("base64 agrees with Foundation's on any bytes")
    func base64OfAnything() {
        var generator = SeededGenerator(seed: 4)
        for count in 0..<70 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(Base64.encode(bytes) == Data(bytes).base64EncodedString())
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
    }

    // MARK: - Times

    static let knownTimes: [(milliseconds: Int64, text: String)] = [
        (0, "1970-01-01T00:00:00.000Z"), (1, "1970-01-01T00:00:00.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_795_518_783_038, "2026-11-24T11:13:03.038Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"), (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
    ]

    @Test("RFC 3339 there and back", arguments: knownTimes)
    func times(milliseconds: Int64, text: String) {
        #expect(RFC3339.string(milliseconds: milliseconds) == text)
        #expect(RFC3339.milliseconds(text) == milliseconds)
        #expect(CivilTime(milliseconds: milliseconds).milliseconds == milliseconds)
    }

    @Test("any time of 10,000 years survives the calendar")
    func anyTime() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<5_000 {
            let time = Int64.random(in: -62_167_219_200_000...253_402_300_799_999, using: &generator)
            #expect(CivilTime(milliseconds: time).milliseconds == time)
            #expect(RFC3339.milliseconds(RFC3339.string(milliseconds: time)) == time)
        }
    }

    @Test(
        "what is not exactly that form is refused",
        arguments: [
            "", "2026-11-22T11:13:03Z", "2026-11-22 11:13:03.038Z", "2026-11-22T11:13:03.038+",
            "2026-02-29T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z", "2026-00-10T00:00:00.000Z", "2026-01-01T24:00:00.000Z",
            "2026-01-01T00:60:00.000Z",
            "2026-01-01T00:00:61.000Z", "-026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000z",
            "２026-01-01T00:00:00.0Z",
        ])
    func badTimes(text: String) {
        #expect(RFC3339.milliseconds(text) == nil)
    }

    @Test("the machine's clocks are milliseconds, and its boot has a name")
    func clocks() {
        let clock = LinuxClock()
        #expect(clock.wallMilliseconds > 1_600_000_000_000)
        #expect(clock.bootMilliseconds > 0)
        #expect(clock.bootMilliseconds < clock.wallMilliseconds)
        #expect(clock.bootID.count == 36)
    }
}
