/// What the formats look at: the beginning and the end of a payload, and the name it was dropped under.
package struct PayloadWindow: Sendable {
    /// How much of the beginning is looked at, in bytes: 1 MiB.
    package static let headByteCount = 1 << 20
    /// How much of the end of a larger payload is looked at besides, in bytes: 256 KiB.
    package static let tailByteCount = 256 << 10

    /// How much of the beginning is worth looking at when time matters less, in bytes: 4 MiB, which holds nearly all
    /// documents whole.
    package static let largeHeadByteCount = 4 << 20

    /// The first bytes of the payload, or all of them.
    let head: ArraySlice<UInt8>
    /// The last bytes of the payload; empty where `head` reaches the end. It does not overlap `head`.
    let tail: ArraySlice<UInt8>
    /// How many bytes the payload has.
    let byteCount: Int
    /// The dropped file's name.
    let name: PayloadName
    /// The first line of the head that is not blank, without the blanks around it; empty if there is none.
    let title: ArraySlice<UInt8>

    /// A window onto a payload.
    /// - Parameters:
    ///   - head: the first bytes of the payload.
    ///   - tail: the last bytes of the payload. What `head` has of them already is left out.
    ///   - byteCount: how many bytes the payload has.
    ///   - name: the dropped file's name; may be empty, and any bytes.
    package init(head: ArraySlice<UInt8>, tail: ArraySlice<UInt8> = [], byteCount: Int, name: [UInt8]) {
        self.init(head: head, tail: tail, byteCount: byteCount, name: PayloadName(name))
    }

    /// A window onto a whole payload.
    package init(whole payload: [UInt8], name: [UInt8] = []) {
        self.init(head: payload[...], byteCount: payload.count, name: PayloadName(name))
    }

    init(head: ArraySlice<UInt8>, tail: ArraySlice<UInt8> = [], byteCount: Int, name: PayloadName) {
        self.head = head
        self.tail = tail.suffix(Swift.max(0, byteCount - head.count))
        self.byteCount = byteCount
        self.name = name
        // Kept, since most payloads are told by it.
        let text = head.drop { $0 <= 0x20 }
        self.title = text.withView { $0.firstIndex(of: UInt8(ascii: "\n")) }.map { text[..<$0].trimmed } ?? text.trimmed
    }

    /// Whether `head` and `tail` are all of the payload.
    var isWhole: Bool { self.head.count + self.tail.count >= self.byteCount }

    /// The number of the bytes between `head` and `tail`, which nobody has looked at.
    var gapByteCount: Int { Swift.max(0, self.byteCount - self.head.count - self.tail.count) }

    func hasPrefix(_ text: String) -> Bool {
        self.head.starts(with: text.utf8)
    }

    /// The same payload with other bytes: decoded or inflated ones.
    func replacing(head: [UInt8], tail: [UInt8] = [], byteCount: Int, name: PayloadName? = nil) -> PayloadWindow {
        PayloadWindow(head: head[...], tail: tail[...], byteCount: byteCount, name: name ?? self.name)
    }

    /// The number of things found so far, with a sign that there may be more outside of the window.
    func counted(_ count: Int, _ singular: String, _ plural: String) -> String {
        "\(count)\(self.isWhole ? "" : "+") \(count == 1 && self.isWhole ? singular : plural)"
    }
}
