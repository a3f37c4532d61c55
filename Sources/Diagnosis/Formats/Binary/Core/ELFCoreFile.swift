/// An ELF core as a file: its header, the memory that it holds, and where its notes are.
///
/// The layout is that of `elf(5)`. Most of a core lies between the beginning and the end that the window has, so an
/// address may well be in the core and not be readable here.
struct ELFCoreFile {
    /// A piece of the process's memory, of which the file holds the first `fileByteCount` bytes, or nothing.
    struct Segment {
        let start: UInt64
        let end: UInt64
        let fileOffset: Int
        let fileByteCount: UInt64
        let isCode: Bool
    }

    let reader: ByteReader
    /// Whether it is a file of the 64-bit class: the numbers in most notes are of this width.
    let isWide: Bool
    let machine: CoreMachine?
    /// Whether Solaris has written it, whose notes have Linux' name and another form.
    let isOfSolaris: Bool
    /// Where the notes are, as far as the payload reaches.
    private(set) var notes: Range<Int>?
    /// By address.
    private(set) var segments: [Segment] = []

    /// - Returns: `nil` unless it is a core.
    init?(_ window: PayloadWindow) {
        guard window.head.starts(with: [0x7f, 0x45, 0x4c, 0x46]), window.head.count > 16 else { return nil }
        let identity = Array(window.head.prefix(16))
        self.isWide = identity[4] == 2
        self.isOfSolaris = identity[7] == 6
        self.reader = ByteReader(window, isBigEndian: identity[5] == 2)
        guard self.reader.integer(UInt16.self, at: 16) == 4 else { return nil }
        self.machine = self.reader.integer(UInt16.self, at: 18).flatMap { [reader, isWide] in
            CoreMachine(
                number: $0, isWide: isWide, isBigEndian: reader.isBigEndian,
                flags: reader.integer(UInt32.self, at: isWide ? 48 : 36) ?? 0)
        }
        self.readSegments()
    }

    /// The bytes of a pointer.
    var wordByteCount: Int { self.isWide ? 8 : 4 }

    func word(at offset: Int) -> UInt64? {
        self.isWide
            ? self.reader.integer(UInt64.self, at: offset)
            : self.reader.integer(UInt32.self, at: offset).map(UInt64.init)
    }

    /// The segment that holds an address.
    func segment(at address: UInt64) -> Segment? {
        var (low, high) = (0, self.segments.count)
        while low < high {
            let middle = (low + high) / 2
            if self.segments[middle].end <= address { low = middle + 1 } else { high = middle }
        }
        guard low < self.segments.count, self.segments[low].start <= address else { return nil }
        return self.segments[low]
    }

    /// Where in the file the byte of an address is.
    func fileOffset(ofAddress address: UInt64) -> Int? {
        guard let segment = self.segment(at: address), address - segment.start < segment.fileByteCount,
            let distance = Int(exactly: address - segment.start)
        else { return nil }
        let (offset, overflow) = segment.fileOffset.addingReportingOverflow(distance)
        return overflow ? nil : offset
    }

    /// A pointer in the process's memory.
    func word(atAddress address: UInt64) -> UInt64? {
        self.fileOffset(ofAddress: address).flatMap { self.word(at: $0) }
    }

    private mutating func readSegments() {
        let reader = self.reader
        let table = self.isWide ? reader.offset(UInt64.self, at: 32) : reader.offset(UInt32.self, at: 28)
        guard let table, let entrySize = reader.integer(UInt16.self, at: self.isWide ? 54 : 42).map(Int.init),
            entrySize >= (self.isWide ? 56 : 32), let stated = reader.integer(UInt16.self, at: self.isWide ? 56 : 44)
        else { return }
        // The number of more than 65,534 segments stands in the section header, which the kernel writes last of all.
        // No more entries can be read than the window has, so the number is not needed.
        let count = stated == 0xffff ? reader.byteCount / entrySize : Int(stated)
        for index in 0..<count {
            let entry = table + index * entrySize
            // The notes follow the table, so the table ends where they begin.
            if stated == 0xffff, let notes = self.notes, entry >= notes.lowerBound { break }
            guard let type = reader.integer(UInt32.self, at: entry) else { break }
            self.readSegment(ofType: type, at: entry)
        }
        self.segments.sort { $0.start < $1.start }
    }

    private mutating func readSegment(ofType type: UInt32, at entry: Int) {
        let fields =
            self.isWide
            ? (offset: 8, address: 16, stored: 32, size: 40, flags: 4)
            : (offset: 4, address: 8, stored: 16, size: 20, flags: 24)
        guard let offset = self.word(at: entry + fields.offset), let stored = self.word(at: entry + fields.stored),
            let offset = Int(exactly: offset)
        else { return }
        if type == 4, self.notes == nil, stored > 0 {
            // The notes may reach beyond the end of a core that was cut; then as many are read as there are.
            // Only the first segment of notes counts: the kernel writes one, and a hostile file any number.
            guard offset < self.reader.byteCount else { return }
            let room = self.reader.byteCount - offset
            self.notes = offset..<offset + min(Int(clamping: stored), room)
        }
        guard type == 1, let start = self.word(at: entry + fields.address),
            let size = self.word(at: entry + fields.size),
            let flags = self.reader.integer(UInt32.self, at: entry + fields.flags)
        else { return }
        let (end, overflow) = start.addingReportingOverflow(size)
        guard size > 0, !overflow else { return }
        self.segments.append(
            Segment(
                start: start, end: end, fileOffset: offset, fileByteCount: min(stored, size), isCode: flags & 1 != 0))
    }
}
