import Testing

@testable import Reports

@Suite("Sources that were left")
struct LeftSourcesTests {
    @Test("the reason of a drop that is collected beside the looks is known whenever it is told")
    func betweenLooks() {
        let left = LeftSources()
        let key = LeftSources.Key("taken/0123456789abcdef.core", inode: 1, size: 2, modified: 3)
        left.beginLook()
        // As while the last look's reasons are being written.
        left.note(key, .notCollected("is too large"))
        left.beginLook()
        #expect(left.cause(of: key)?.text == "is too large")
        left.beginLook()
        #expect(left.cause(of: key)?.text == nil)
    }
}
