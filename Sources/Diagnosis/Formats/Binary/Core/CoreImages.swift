/// The files of code in a process's memory, as a core tells them: the program's own file and its libraries.
struct CoreImages {
    /// The most bytes between two parts of one file.
    private static let gapByteCount: UInt64 = 16 << 20

    private(set) var images: [Crash.Image] = []
    /// The program's own file.
    private(set) var main: Crash.Image?
    private var table = ImageTable([])

    /// - Parameters:
    ///   - notes: what the core says of mapped files.
    ///   - file: the core.
    init(_ notes: CoreNotes, of file: ELFCoreFile) {
        var group: [CoreNotes.Mapping] = []
        for mapping in notes.mappings.sorted(by: { $0.start < $1.start }) {
            if let last = group.last, !self.isNext(mapping, after: last) {
                self.add(group, of: file)
                group = []
            }
            group.append(mapping)
        }
        self.add(group, of: file)
        self.table = ImageTable(self.images)
        self.main = self.mainImage(notes)
    }

    /// The image that holds an address.
    func image(at address: UInt64) -> Crash.Image? {
        self.table.image(at: address)
    }

    /// Whether it is another part of the same file. The parts lie side by side, with the beginning of the file first and
    /// not more than an alignment apart; some programs map their own file once more somewhere else.
    private func isNext(_ mapping: CoreNotes.Mapping, after last: CoreNotes.Mapping) -> Bool {
        mapping.path == last.path && mapping.fileOffset > 0 && mapping.start >= last.end
            && mapping.start - last.end <= Self.gapByteCount
    }

    private mutating func add(_ group: [CoreNotes.Mapping], of file: ELFCoreFile) {
        guard let first = group.first, let last = group.last, self.images.count < Crash.Bounds.imageCount
        else { return }
        // Fonts, archives and databases are mapped as one piece, and not for execution. Of code that is only in its
        // file, gdb keeps no segment.
        let isCode =
            group.count > 1 || file.segments.isEmpty
            || group.contains { file.segment(at: $0.start)?.isCode ?? false }
        guard isCode, !first.path.hasPrefix("/dev/") else { return }
        let (base, overflow) = first.start.subtractingReportingOverflow(first.fileOffset)
        guard !overflow else { return }
        self.images.append(
            Crash.Image(
                path: first.path, buildID: first.fileOffset == 0 ? CoreBuildID.read(at: base, in: file) : nil,
                baseAddress: base, endAddress: last.end))
    }

    private func mainImage(_ notes: CoreNotes) -> Crash.Image? {
        if let address = notes.programAddress, let image = self.image(at: address) { return image }
        if let command = notes.command,
            let image = self.images.first(where: { $0.path.lastPathComponent.hasPrefix(command) })
        {
            return image
        }
        return self.images.first { !NativeCode.isOfSystem($0.path) } ?? self.images.first
    }
}

/// The build id of an image, which is in the first page of its file; the kernel keeps that page in each core.
enum CoreBuildID {
    /// The most segments of an image that are looked at, and the most bytes of notes in one.
    private static let (segmentCount, noteByteCount) = (16, 512)

    /// - Parameters:
    ///   - base: where the file begins in memory.
    ///   - core: the core.
    /// - Returns: its hexadecimal digits; `nil` where the page is not in the window or has no build id.
    static func read(at base: UInt64, in core: ELFCoreFile) -> String? {
        guard let start = core.fileOffset(ofAddress: base),
            let segment = core.segment(at: base), let stored = Int(exactly: segment.fileByteCount),
            let image = core.reader.bytes(at: start, count: min(stored, 4_096))
        else { return nil }
        let reader = ByteReader(image, isBigEndian: core.reader.isBigEndian)
        guard image.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { return nil }
        let isWide = image.dropFirst(4).first == 2
        func word(_ offset: Int) -> Int? {
            isWide ? reader.offset(UInt64.self, at: offset) : reader.offset(UInt32.self, at: offset)
        }
        guard let table = word(isWide ? 32 : 28),
            let entrySize = reader.integer(UInt16.self, at: isWide ? 54 : 42).map(Int.init),
            let count = reader.integer(UInt16.self, at: isWide ? 56 : 44)
        else { return nil }
        var identifier: String?
        for index in 0..<min(Int(count), Self.segmentCount) {
            let entry = table + index * entrySize
            guard reader.integer(UInt32.self, at: entry) == 4, let offset = word(entry + (isWide ? 8 : 4)),
                let length = word(entry + (isWide ? 32 : 16))
            else { continue }
            ELFNote.forEach(in: offset..<offset + min(length, Self.noteByteCount), of: reader) { note in
                guard note.owner == "GNU", note.type == 3, identifier == nil, !note.content.isEmpty,
                    note.content.count <= 64
                else { return }
                identifier = reader.bytes(at: note.content.lowerBound, count: note.content.count)?.hexText
            }
        }
        return identifier
    }
}
