import DurableIO
import Reports
import Testing

@Suite("Names of taken drops")
struct TakenNameTests {
    private func name(_ bytes: [UInt8]) throws -> EntryName { try #require(EntryName(bytes: bytes)) }

    static let dropped: [[UInt8]] = [
        Array("core".utf8), Array("a.b-c".utf8), Array("-".utf8), [0xff, 0xfe], Array(" ".utf8),
        // As long as fits beside the nonce.
        [UInt8](repeating: 0x78, count: 231),
    ]

    @Test("the dropped name is found again in both rooms", arguments: dropped)
    func roundTrip(bytes: [UInt8]) throws {
        let dropped = try name(bytes)
        let taken = TakenName(for: dropped, isHidden: false)
        #expect(taken.entry.bytes.dropFirst(17).elementsEqual(bytes))
        #expect(TakenName(inTaken: taken.entry) == taken)
        let hidden = TakenName(for: dropped, isHidden: true)
        #expect(hidden.entry.description.hasPrefix(".taken-"))
        #expect(TakenName(inIncoming: hidden.entry) == hidden)
        #expect(TakenName(for: dropped, isHidden: false) != taken)
    }

    @Test("no name is longer than 255 bytes, and the nonce is not what is cut", arguments: [false, true])
    func cut(isHidden: Bool) throws {
        let dropped = try name([UInt8](repeating: 0x78, count: 255))
        let taken = TakenName(for: dropped, isHidden: isHidden)
        #expect(taken.entry.bytes.count == 255)
        #expect(taken.dropped == dropped)
        let found = isHidden ? TakenName(inIncoming: taken.entry) : TakenName(inTaken: taken.entry)
        #expect(found.map { dropped.bytes.starts(with: $0.dropped.bytes) } == true)
        #expect(found?.dropped.bytes.count == (isHidden ? 231 : 238))
    }

    @Test(
        "a name without a nonce is the dropped one",
        arguments: ["core", "0123456789abcdef", "0123456789abcdef.", "0123456789ABCDEF.core", "0123456789abcde.core"])
    func withoutNonce(text: String) throws {
        let entry = try #require(EntryName(text))
        #expect(TakenName(inTaken: entry).dropped == entry)
    }

    @Test("other hidden names in incoming/ are no taken drops", arguments: [".taken-", ".taken-a", ".hidden", "taken"])
    func otherHiddenNames(text: String) throws {
        #expect(TakenName(inIncoming: try #require(EntryName(text))) == nil)
    }
}
