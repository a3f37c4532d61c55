import Diagnosis
import TestSupport
import Testing

@Suite("Reading JSON")
struct JSONParsingTests {
    private func parse(_ text: String) throws(JSONParsingError) -> JSONValue {
        try JSONValue.parse(Array(text.utf8))
    }

    private func error(_ text: String) -> JSONParsingError? {
        do throws(JSONParsingError) {
            _ = try self.parse(text)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "Values are read as they are written",
        arguments: [
            ("null", .null), (" true ", true), ("false", false), ("0", 0), ("-12", -12), ("\"\"", ""), ("[]", []),
            ("{}", [:]), ("[1,[2,{}],\"x\"]", [1, [2, [:]], "x"]), ("{\"a\":{\"b\":[null]}}", ["a": ["b": [nil]]]),
            ("1.5", 1.5), ("-2E-2", -0.02), ("1e3", 1000.0), ("9223372036854775807", 9_223_372_036_854_775_807),
            ("-9223372036854775808", -9_223_372_036_854_775_808), ("\t[\r\n1 , 2 ] ", [1, 2]),
        ] as [(String, JSONValue)])
    func values(text: String, value: JSONValue) throws {
        #expect(try self.parse(text) == value)
    }

    @Test("Numbers that do not fit become doubles, at worst infinite")
    func largeNumbers() throws {
        #expect(try self.parse("18446744073709551616") == .double(18_446_744_073_709_551_616))
        #expect(try self.parse("9223372036854775808") == .double(9_223_372_036_854_775_808))
        #expect(try self.parse("1e999") == .double(.infinity))
        #expect(try self.parse("-1e999") == .double(-.infinity))
        #expect(try self.parse("1e-999") == .double(0))
        #expect(try self.parse("1e99999999999999999999999") == .double(.infinity))
        #expect(try self.parse(String(repeating: "9", count: 5_000)) == .double(.infinity))
        // Equal to zero, and written with its sign.
        #expect(try self.parse("-0") == .double(0))
        let zero = try self.parse("-0")
        #expect("\(zero)" == "\(JSONValue.double(-0.0))")
    }

    @Test(
        "Escapes are decoded, and half pairs become U+FFFD",
        arguments: [
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""caf\u00e9 \u20AC""#, "caf\u{e9} \u{20ac}"),
            (#""\ud83d\udca3!""#, "\u{1f4a3}!"), (#""\ud83d""#, "\u{fffd}"), (#""\udca3x""#, "\u{fffd}x"),
            (#""\ud83d\u0041""#, "\u{fffd}A"), (#""\ud83d\ud83d\udca3""#, "\u{fffd}\u{1f4a3}"), (#""\u0000""#, "\0"),
            (#""\ud83d\n""#, "\u{fffd}\n"),
        ])
    func escapes(text: String, value: String) throws {
        #expect(try self.parse(text) == .string(value))
    }

    @Test(
        "What RFC 8259 forbids is refused",
        arguments: [
            "01", "-", "-a", "+1", "1.", ".5", "1e", "1e+", "0x1", "NaN", "tru", "truE", "nul", "[1,]", "[,1]", "[1 2]",
            "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "[1}", "{\"a\":1]", "\"", "\"\\x\"", "\"\\u12g4\"",
            "\"\u{1}\"", "\"\n\"", "", " ", "]", "1 2", "{}x", "\u{feff}{}", "'a'", "[1", "{\"a\":1", "-01", "1.e1",
        ])
    func refusals(text: String) {
        #expect(self.error(text) != nil)
    }

    @Test("The error says where and what")
    func errorOffsets() {
        #expect(self.error("[1,x]") == JSONParsingError(code: .unexpectedByte, offset: 3))
        #expect(self.error("[1,") == JSONParsingError(code: .truncated, offset: 3))
        #expect(self.error("{} {}") == JSONParsingError(code: .trailingBytes, offset: 3))
        #expect(self.error("{} {}")?.description == "not JSON: something follows the value at byte 3")
    }

    @Test("Invalid UTF-8 is refused, in keys too")
    func invalidUTF8() {
        let quote = UInt8(ascii: "\"")
        for text in [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x5c, 0x6e, 0xff]] as [[UInt8]] {
            let string = [quote] + text + [quote]
            #expect(throws: JSONParsingError.self) { try JSONValue.parse(string) }
            #expect(throws: JSONParsingError.self) { try JSONValue.parse(Array("{".utf8) + string + Array(":1}".utf8)) }
        }
    }

    @Test("Depth ends at 128, whatever the input, and costs no stack")
    func depth() throws {
        let nested = { String(repeating: "[", count: $0) + String(repeating: "]", count: $0) }
        #expect(throws: Never.self) { try self.parse(nested(128)) }
        #expect(self.error(nested(129)) == JSONParsingError(code: .tooDeep, offset: 128))
        #expect(self.error(nested(100_000))?.code == .tooDeep)
        #expect(throws: Never.self) { try JSONValue.parse(Array(nested(1_000).utf8), maximumDepth: 1_000) }
    }

    @Test("Of a repeated key the first stays, in small objects and in large ones", arguments: [3, 40])
    func repeatedKeys(count: Int) throws {
        let others = (0..<count).map { ",\"k\($0)\":\($0)" }.joined()
        let value = try self.parse("{\"a\":1\(others),\"a\":2}")
        #expect(value["a"] == 1)
        #expect(value.objectValue?.members.count == count + 1)
        #expect(value.objectValue?.members.last?.key == "k\(count - 1)")
    }

    @Test("A slice is read by itself")
    func slices() throws {
        let bytes = Array("xx[1]yy".utf8)
        #expect(try JSONValue.parse(bytes[2..<5]) == [1])
    }
}

@Suite("Reading what is left of JSON")
struct JSONPrefixTests {
    private func prefix(_ text: String) -> JSONPrefix {
        JSONValue.parsePrefix(Array(text.utf8))
    }

    @Test(
        "Open arrays and objects are closed, and what was cut is left out",
        arguments: [
            ("{\"a\":1,\"b\":[1,2", ["a": 1, "b": [1]]), ("{\"a\":1,\"b", ["a": 1]), ("{\"a\":1,\"b\":", ["a": 1]),
            ("{\"a\":1,", ["a": 1]), ("{\"a\":\"x", [:]), ("[true,fal", [true]),
            ("[{\"a\":{\"b\":2}", [["a": ["b": 2]]]),
            ("[\"a\",\"\\u00", ["a"]), ("[\"a\",\"\\", ["a"]), ("[1.", []), ("[1.5e", []), ("[", []),
        ] as [(String, JSONValue)])
    func closing(text: String, value: JSONValue) {
        let prefix = self.prefix(text)
        #expect(prefix.value == value)
        #expect(prefix.isTruncated)
        #expect(!prefix.isComplete)
    }

    @Test("A whole value says where it ends, and that something follows")
    func whole() {
        let prefix = self.prefix("{\"a\":1}\n{\"b\":2}")
        #expect(prefix.value == ["a": 1])
        #expect(prefix.isComplete)
        #expect(prefix.byteCount == 8)
        #expect(self.prefix("12").value == 12)
        #expect(self.prefix("").value == nil)
        #expect(self.prefix("tr").value == nil)
    }

    @Test("Reading ends at the first fault, which is no truncation")
    func fault() {
        let prefix = self.prefix("{\"a\":[1,2,x],\"b\":3}")
        #expect(prefix.value == ["a": [1, 2]])
        #expect(prefix.error == JSONParsingError(code: .unexpectedByte, offset: 10))
        #expect(!prefix.isTruncated)
    }

    @Test("Invalid UTF-8 is repaired, and said")
    func repair() {
        let bytes = [0x5b, 0x22, 0x61, 0xff, 0x22, 0x5d] as [UInt8]
        #expect(JSONValue.parsePrefix(bytes).value == ["a\u{fffd}"])
        #expect(JSONValue.parsePrefix(bytes).hasRepairs)
        #expect(!self.prefix("[\"\u{fffd}\"]").hasRepairs)
    }

    @Test("Every prefix of a document gives a part of it")
    func everyPrefix() throws {
        let text = "{\"a\":[1,{\"b\":\"c\\u00e9\"},null],\"d\":-1.5e3,\"e\":{\"f\":true}}"
        let bytes = Array(text.utf8)
        for length in bytes.indices {
            let prefix = JSONValue.parsePrefix(bytes.prefix(length))
            #expect(prefix.isTruncated)
            #expect((prefix.value == nil) == (length == 0))
        }
        #expect(JSONValue.parsePrefix(bytes).value == (try JSONValue.parse(bytes)))
    }

    @Test("An outline has the outermost members, and meets every fault that the whole reading meets")
    func outline() {
        let text = "{\"a\":[1,{\"b\":\"c\\u00e9é\"},null],\"d\":-1.5e3,\"e\":{\"f\":true,\"é\":\"x\"},\"g\":\"h\"} "
        let whole = Array(text.utf8)
        var inputs = whole.indices.map { Array(whole[..<$0]) } + [whole]
        for index in whole.indices {
            for byte in [0xff, 0x01, UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "}"), UInt8(ascii: "1")] {
                var bytes = whole
                bytes[index] = byte
                inputs.append(bytes)
            }
        }
        for bytes in inputs {
            let (outline, prefix) = (JSONValue.outlinePrefix(bytes), JSONValue.parsePrefix(bytes))
            #expect(outline.error == prefix.error, "\(bytes)")
            #expect(outline.byteCount == prefix.byteCount, "\(bytes)")
            #expect(outline.hasRepairs == prefix.hasRepairs, "\(bytes)")
            #expect(outline.value?.objectValue?.members.map(\.key) == prefix.value?.objectValue?.members.map(\.key))
        }
        #expect(JSONValue.outlinePrefix(whole).value == ["a": [], "d": -1500.0, "e": [:], "g": "h"])
    }
}
