/// How what is kept of standard error lies in memory, and so in the file of a run: a page of numbers, the head, and a
/// ring of the last bytes.
///
/// All numbers are of 64 bits in the order of the machine, which reads what it wrote itself. What is written goes into
/// the ring first, and then into the count of bytes: a process that is killed in between leaves bytes in that part of
/// the ring alone of which the reader takes nothing.
struct StderrLayout: Equatable {
    /// Where each number lies.
    enum Place: Int {
        case magic = 0
        case keptByteCount = 8
        case byteCount = 16
        case headOffset = 24
        case headCount = 32
        /// 0 in files of versions that did not note it.
        case latestMark = 40
    }

    /// "stderr" and the version.
    static let magic: UInt64 = 0x0001_7272_6564_7473
    static let headByteCount = 16 << 10
    /// The most that is taken at once.
    static let chunkByteCount = 64 << 10
    /// How far back the beginning of a line is looked for.
    static let lineByteCount = 4 << 10
    /// The most that can be kept.
    static let maximumKeptByteCount = RunOptions.maximumKeptByteCount

    static let numbersByteCount = 48
    static let headPlace = 4 << 10
    static let ringPlace = headPlace + headByteCount

    let keptByteCount: Int
    /// A chunk may be half written, and the beginning of its first line is looked for before it.
    var ringByteCount: Int { keptByteCount + Self.chunkByteCount + Self.lineByteCount }
    var byteCount: Int { Self.ringPlace + ringByteCount }
}
