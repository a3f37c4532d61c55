/// An ELF core, put together from notes and pieces of memory.
struct CoreForTests {
    struct Note {
        let owner: String
        let type: UInt32
        let content: [UInt8]
    }

    struct Segment {
        let start: UInt64
        var byteCount: UInt64
        var content: [UInt8] = []
        var isCode = false
    }

    struct Mapping {
        let start: UInt64
        let end: UInt64
        let page: UInt64
        let path: String
    }

    var machine: UInt16 = 62
    var isWide = true
    var isBigEndian = false
    var flags: UInt32 = 0
    var notes: [Note] = []
    var segments: [Segment] = []
    /// Whether the header has the number of segments that stands for too many.
    var hasManySegments = false

    var wordByteCount: Int { self.isWide ? 8 : 4 }

    func writer(byteCount: Int = 0) -> BinaryWriter {
        BinaryWriter(bytes: [UInt8](repeating: 0, count: byteCount), isBigEndian: self.isBigEndian)
    }

    /// `NT_PRSTATUS` of a 64-bit Linux with registers of 8 bytes.
    mutating func addThread(_ number: Int32, signal: Int16, registers: [Int: UInt64] = [:]) {
        var status = self.writer(byteCount: 112 + 34 * 8)
        status.put(signal, at: 12)
        status.put(number, at: 32)
        for (index, value) in registers { status.put(value, at: 112 + index * 8) }
        self.notes.append(Note(owner: "CORE", type: 1, content: status.bytes))
    }

    /// `NT_PRPSINFO` of a 64-bit Linux.
    mutating func addProcess(_ name: String, number: Int32) {
        var process = self.writer(byteCount: 136)
        process.put(number, at: 24)
        process.put(name, at: 40)
        process.put("\(name) --password=hunter2", at: 56)
        self.notes.append(Note(owner: "CORE", type: 3, content: process.bytes))
    }

    /// `NT_SIGINFO`; on MIPS the two numbers behind the signal stand the other way round.
    mutating func addSignal(_ number: Int32, code: Int32, value: UInt64, isSwapped: Bool = false) {
        var info = self.writer(byteCount: 128)
        info.put(number, at: 0)
        info.put(code, at: isSwapped ? 4 : 8)
        info.put(word: value, byteCount: self.wordByteCount, at: self.isWide ? 16 : 12)
        self.notes.append(Note(owner: "CORE", type: 0x5349_4749, content: info.bytes))
    }

    /// `NT_FILE`, with pages of 4,096 bytes.
    mutating func addFiles(_ mappings: [Mapping]) {
        var files = self.writer()
        files.append(word: UInt64(mappings.count), byteCount: self.wordByteCount)
        files.append(word: 4_096, byteCount: self.wordByteCount)
        for mapping in mappings {
            for value in [mapping.start, mapping.end, mapping.page] {
                files.append(word: value, byteCount: self.wordByteCount)
            }
        }
        for mapping in mappings { files.append(mapping.path, paddedTo: mapping.path.utf8.count + 1) }
        self.notes.append(Note(owner: "CORE", type: 0x4649_4c45, content: files.bytes))
    }

    /// A program at one address and the C library at another, each a read-only part and one of code.
    mutating func addProgram(_ path: String, at base: UInt64, library: UInt64 = 0x7f00_0000_0000) {
        let names = [(base, path), (library, "/usr/lib/x86_64-linux-gnu/libc.so.6")]
        self.addFiles(
            names.flatMap { start, path in
                [
                    Mapping(start: start, end: start + 0x1000, page: 0, path: path),
                    Mapping(start: start + 0x1000, end: start + 0x9000, page: 1, path: path),
                ]
            })
        for (start, _) in names {
            self.segments.append(Segment(start: start, byteCount: 0x1000))
            self.segments.append(Segment(start: start + 0x1000, byteCount: 0x8000, isCode: true))
        }
    }

    var bytes: [UInt8] {
        let (headerByteCount, entryByteCount) = self.isWide ? (64, 56) : (52, 32)
        var notes = self.writer()
        for note in self.notes {
            notes.append(UInt32.self, UInt32(note.owner.utf8.count + 1), UInt32(note.content.count), note.type)
            notes.append(note.owner, paddedTo: (note.owner.utf8.count + 4) & ~3)
            notes.bytes += note.content
            notes.pad(to: (notes.bytes.count + 3) & ~3)
        }
        let start = headerByteCount + entryByteCount * (1 + self.segments.count)
        var core = self.writer(byteCount: headerByteCount)
        let identity = [0x7f, 0x45, 0x4c, 0x46, self.isWide ? 2 : 1, self.isBigEndian ? 2 : 1, 1] as [UInt8]
        core.bytes.replaceSubrange(0..<7, with: identity)
        core.put(UInt16(4), at: 16)
        core.put(self.machine, at: 18)
        core.put(word: UInt64(headerByteCount), byteCount: self.wordByteCount, at: self.isWide ? 32 : 28)
        core.put(self.flags, at: self.isWide ? 48 : 36)
        core.put(UInt16(entryByteCount), at: self.isWide ? 54 : 42)
        core.put(self.hasManySegments ? 0xffff : UInt16(1 + self.segments.count), at: self.isWide ? 56 : 44)
        core.bytes += self.entry(type: 4, at: 0, offset: start, count: notes.bytes.count, size: 0, flags: 4)
        var offset = start + notes.bytes.count
        for segment in self.segments {
            core.bytes += self.entry(
                type: 1, at: segment.start, offset: offset, count: segment.content.count, size: segment.byteCount,
                flags: segment.isCode ? 5 : 4)
            offset += segment.content.count
        }
        return core.bytes + notes.bytes + self.segments.flatMap(\.content)
    }

    private func entry(
        type: UInt32, at address: UInt64, offset: Int, count: Int, size: UInt64, flags: UInt32
    ) -> [UInt8] {
        var entry = self.writer()
        let (offset, count) = (UInt64(offset), UInt64(count))
        entry.append(type)
        if self.isWide { entry.append(flags) }
        for value in [offset, address, address, count, size] {
            entry.append(word: value, byteCount: self.wordByteCount)
        }
        if !self.isWide { entry.append(flags) }
        entry.append(word: 4_096, byteCount: self.wordByteCount)
        return entry.bytes
    }
}
