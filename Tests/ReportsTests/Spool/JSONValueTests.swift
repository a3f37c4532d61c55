import Diagnosis
import Reports
import Testing

@Suite("JSON values")
struct JSONValueTests {
    @Test("Objects keep their order; the first of two equal keys stays")
    func order() {
        let object: JSONObject = ["z": 1, "a": 2, "z": 3]
        #expect(object.members.map(\.key) == ["z", "a"])
        #expect(object["z"] == 1)
        #expect(object.description == #"{"z":1,"a":2}"#)
    }

    @Test("Members are set, replaced in place, and removed")
    func mutation() {
        var object: JSONObject = ["a": 1, "b": 2]
        object["a"] = "x"
        object["c"] = nil
        object["c"] = [true]
        object["b"] = nil
        #expect(object.description == #"{"a":"x","c":[true]}"#)
    }

    @Test("Accessors give what is there, and nil for anything else")
    func accessors() {
        let value: JSONValue = ["s": "x", "i": 3, "d": 1.5, "b": true, "a": [1, nil]]
        #expect(value["s"]?.stringValue == "x")
        #expect(value["i"]?.integerValue == 3)
        #expect(value["d"] == .double(1.5))
        #expect(value["b"]?.boolValue == true)
        #expect(value["a"]?[0] == 1)
        #expect(value["a"]?[1] == .null)
        #expect(value["a"]?[2] == nil)
        #expect(value["a"]?[-1] == nil)
        #expect(value["s"]?.integerValue == nil)
        #expect(value[0] == nil)
        #expect(value["d"]?["x"] == nil)
        #expect(value["none"] == nil)
    }

    @Test("What is absent becomes null")
    func optionals() {
        #expect(JSONValue(nil as String?) == .null)
        #expect(JSONValue("a" as String?) == "a")
        #expect(JSONValue(nil as Int?) == .null)
        #expect(JSONValue(UInt64.max as UInt64?) == .double(18_446_744_073_709_551_616))
        #expect(JSONValue(false as Bool?) == false)
    }

    @Test(
        "Writing is compact",
        arguments: [
            (nil, "null"), ([], "[]"), ([:], "{}"), ("x", "\"x\""), (true, "true"), (false, "false"),
            (["a": [1, -2.5, "x"], "b": nil], #"{"a":[1,-2.5,"x"],"b":null}"#),
            (.double(.infinity), "null"), (.double(.nan), "null"), (.double(1e300), "1e+300"), (.double(1), "1.0"),
            (.integer(.min), "-9223372036854775808"),
        ] as [(JSONValue, String)])
    func writing(value: JSONValue, text: String) {
        #expect(value.description == text)
    }

    @Test(
        "No character that steers a terminal is written as itself",
        arguments: [
            ("\n", "\\u000a"), ("\u{1b}", "\\u001b"), ("\0", "\\u0000"), ("\u{7f}", "\\u007f"), ("\u{9b}", "\\u009b"),
            ("\u{2028}", "\\u2028"), ("\u{202e}", "\\u202e"), ("\u{2066}", "\\u2066"), ("\u{61c}", "\\u061c"),
            ("\u{200f}", "\\u200f"), ("\"", "\\\""), ("\\", "\\\\"),
        ])
    func escaping(character: String, escape: String) throws {
        let value = JSONValue.object([character: .string("a\(character)\u{e9}")])
        #expect(value.description == "{\"\(escape)\":\"a\(escape)\u{e9}\"}")
        #expect(try JSONValue.parse(value.utf8Bytes) == value)
    }

    @Test("What is written is read back the same")
    func roundTrip() throws {
        let value: JSONValue = [
            "text": "\u{1f4a3} caf\u{e9} \u{0} \u{10ffff}", "numbers": [0, -1, 0.1, 1e-300, 123_456_789.25],
            "nested": [["a": [:]], [], nil, true],
        ]
        var bytes = Array("prefix ".utf8)
        value.write(into: &bytes)
        #expect(try JSONValue.parse(bytes.dropFirst(7)) == value)
    }
}
