/// Tells quickly of most texts that no format of text can be in them, without looking at lines.
///
/// Each format has words of which at least one is in each text of it (``TextFormat/words``). All words are looked for at
/// the same time: of each word three bytes that are rare in ordinary text make a key, and one pass over the text asks a
/// table of bits for the key at each byte.
struct WordFilter: Sendable {
    private struct Word: Sendable {
        let bytes: [UInt8]
        /// Where in the word the bytes of its key begin.
        let keyOffset: Int
    }

    private static let keyByteCount = 3

    static let shared = WordFilter(TextFormats.all.flatMap { $0.words })

    /// One bit for each hash of a key.
    private var isKey = [UInt64](repeating: 0, count: 1 << 10)
    private var words: [UInt16: [Word]] = [:]

    private init(_ texts: [String]) {
        for text in Set(texts) {
            let bytes = Array(text.utf8)
            precondition(bytes.count >= Self.keyByteCount, "the word \(text) of a format is too short")
            let offsets = 0...(bytes.count - Self.keyByteCount)
            let keyOffset = offsets.min { Self.commonness(of: bytes, at: $0) < Self.commonness(of: bytes, at: $1) } ?? 0
            let hash = Self.hash(bytes[keyOffset], bytes[keyOffset + 1], bytes[keyOffset + 2])
            self.isKey[Int(hash >> 6)] |= 1 << UInt64(hash & 63)
            self.words[hash, default: []].append(Word(bytes: bytes, keyOffset: keyOffset))
        }
    }

    private static func hash(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> UInt16 {
        self.hash(UInt32(first) | UInt32(second) << 8 | UInt32(third) << 16)
    }

    private static func hash(_ key: UInt32) -> UInt16 {
        UInt16(truncatingIfNeeded: (key &* 0x9e37_79b1) >> 16)
    }

    /// How often the three bytes at an offset may stand in ordinary text, roughly.
    private static func commonness(of bytes: [UInt8], at offset: Int) -> Int {
        bytes[offset..<offset + self.keyByteCount].reduce(0) { sum, byte in
            switch byte {
            case 0x20: sum + 3
            case UInt8(ascii: "a")...UInt8(ascii: "z"): sum + 3
            case UInt8(ascii: ":"), UInt8(ascii: "."), UInt8(ascii: "-"): sum + 2
            case _ where byte.isLetter || byte.isDigit: sum + 1
            default: sum
            }
        }
    }

    /// Whether one of the words may be in the window.
    func mayHold(_ window: PayloadWindow) -> Bool {
        // In JSON the words may be escaped.
        window.title.first == UInt8(ascii: "{") || self.mayHold(window.head) || self.mayHold(window.tail)
    }

    private func mayHold(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.withUnsafeBufferPointer { bytes in
            guard bytes.count >= Self.keyByteCount else { return false }
            return self.isKey.withUnsafeBufferPointer { isKey in
                var key = UInt32(bytes[0]) << 8 | UInt32(bytes[1]) << 16
                for index in 2..<bytes.count {
                    let byte = bytes[index]
                    // Sequences that set colours may stand within a word.
                    if byte == 0x1b { return true }
                    key = key >> 8 | UInt32(byte) << 16
                    let hash = Self.hash(key)
                    guard isKey[Int(hash >> 6)] >> UInt64(hash & 63) & 1 != 0 else { continue }
                    if self.words(with: hash, have: bytes, at: index - 2) { return true }
                }
                return false
            }
        }
    }

    /// Whether one of the words with this key stands where the key was found.
    private func words(with hash: UInt16, have bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Bool {
        self.words[hash, default: []].contains { word in
            let start = index - word.keyOffset
            guard start >= 0, start <= bytes.count - word.bytes.count else { return false }
            return bytes[start..<start + word.bytes.count].elementsEqual(word.bytes)
        }
    }
}
