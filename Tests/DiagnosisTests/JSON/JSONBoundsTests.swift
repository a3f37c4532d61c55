import Diagnosis
import TestSupport
import Testing

@Suite("Bounds of reading JSON")
struct JSONBoundsTests {
    private let limit = JSONValue.maximumValueCount

    private func list(of item: String, count: Int) -> [UInt8] {
        Array("[\(Array(repeating: item, count: count).joined(separator: ","))]".utf8)
    }

    @Test("a whole reading refuses more values than it may keep")
    func strict() {
        #expect(throws: Never.self) { try JSONValue.parse(self.list(of: "1", count: self.limit - 1)) }
        #expect(throws: JSONParsingError(code: .tooManyValues, offset: 2 * self.limit - 1)) {
            try JSONValue.parse(self.list(of: "1", count: self.limit))
        }
        #expect(JSONParsingError(code: .tooManyValues, offset: 7).description == "not JSON: too many values at byte 7")
    }

    @Test(
        "a tolerant reading leaves out the values that are too many, and reads to the end",
        arguments: ["1", "[]", "[1]"])
    func tolerant(item: String) throws {
        let bytes = self.list(of: item, count: self.limit + 50)
        let prefix = JSONValue.parsePrefix(bytes)
        #expect(prefix.isComplete)
        #expect(prefix.hasOmissions)
        #expect(prefix.byteCount == bytes.count)
        let count = try #require(prefix.value?.arrayValue?.count)
        #expect(count == (item == "[1]" ? self.limit / 2 : self.limit - 1))
        #expect(!JSONValue.parsePrefix(Array("[1,[2]]".utf8)).hasOmissions)
    }

    @Test("keys and values stay together where the values end")
    func members() throws {
        let members = (0..<(self.limit / 2 + 20)).map { "\"k\($0)\":[\($0)]" }.joined(separator: ",")
        let object = try #require(JSONValue.parsePrefix(Array("{\(members)}".utf8)).value?.objectValue)
        #expect(object["k7"] == [7])
        let last = try #require(object.members.last)
        #expect(last.value == [] || last.value == .array([.integer(Int64(last.key.dropFirst()) ?? -1)]))
    }

    @Test("a fault behind the last value that is kept is still found")
    func faultBehindLimit() {
        let bytes = Array(self.list(of: "1", count: self.limit + 50).dropLast()) + Array(",x]".utf8)
        #expect(JSONValue.parsePrefix(bytes).error?.code == .unexpectedByte)
        #expect(JSONValue.outlinePrefix(bytes).error?.code == .unexpectedByte)
    }

    @Test("what lies deeper than asked for is left out, and its faults are found")
    func keptDepth() {
        let bytes = Array(#"{"a":[[[1]],2],"b":3}"#.utf8)
        #expect(JSONValue.parsePrefix(bytes[...], keptDepth: 2).value == ["a": [[], 2], "b": 3])
        #expect(JSONValue.parsePrefix(Array(#"{"a":[[[x"#.utf8)[...], keptDepth: 2).error?.offset == 8)
    }
}
