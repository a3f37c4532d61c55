/// The modules of a minidump: the program's own file first, then its libraries.
struct MinidumpModules {
    let images: [Crash.Image]
    /// The version in the resources of the program's own file, which files of Windows have.
    let version: String?

    /// - Parameters:
    ///   - file: the minidump.
    ///   - platform: the kind of system; `nil` if it is not known.
    init(_ file: MinidumpFile, platform: MinidumpSystem.Platform?) {
        let entries = file.entries(
            of: MinidumpFile.StreamType.modules, byteCount: 108, limit: Crash.Bounds.imageCount)
        self.images = entries.compactMap { Self.image(at: $0, in: file, platform: platform) }
        self.version = entries.first.flatMap { Self.version(at: $0 + 24, in: file.reader) }
    }

    private static func image(
        at entry: Int, in file: MinidumpFile, platform: MinidumpSystem.Platform?
    ) -> Crash.Image? {
        guard let base = file.reader.integer(UInt64.self, at: entry),
            let size = file.reader.integer(UInt32.self, at: entry + 8),
            let name = file.reader.offset(UInt32.self, at: entry + 20)
        else { return nil }
        let (end, overflow) = base.addingReportingOverflow(UInt64(size))
        return Crash.Image(
            path: file.text(at: name) ?? "",
            buildID: file.location(at: entry + 76).flatMap { self.buildID(at: $0, in: file, platform: platform) },
            baseAddress: base, endAddress: overflow ? nil : end)
    }

    /// The identifier in a CodeView record.
    private static func buildID(
        at record: MinidumpFile.Location, in file: MinidumpFile, platform: MinidumpSystem.Platform?
    ) -> String? {
        let reader = file.reader
        guard let mark = reader.bytes(at: record.offset, count: 4) else { return nil }
        // The build id of an ELF file, as Breakpad's successor of the PDB record has it.
        if mark.elementsEqual("LEpB".utf8) {
            let count = min(record.byteCount - 4, 64)
            return count > 0 ? reader.bytes(at: record.offset + 4, count: count)?.hexText : nil
        }
        guard mark.elementsEqual("RSDS".utf8), let bytes = reader.bytes(at: record.offset + 4, count: 16),
            bytes.contains(where: { $0 != 0 })
        else { return nil }
        // Breakpad on Linux puts the first bytes of the build id here as they are.
        if platform == .linux, !file.lists(MinidumpFile.StreamType.crashpad) { return bytes.hexText }
        // Else it is a GUID, of which the first three parts are numbers; the age is a part of a PDB's identity.
        let identifier = [UInt8](bytes)
        let numbers = [3, 2, 1, 0, 5, 4, 7, 6].map { identifier[$0] }
        let text = (reader.isBigEndian ? identifier : numbers + identifier[8...]).hexText
        let age = reader.integer(UInt32.self, at: record.offset + 20) ?? 0
        return platform == .windows ? text + String(age, radix: 16) : text
    }

    /// `VS_FIXEDFILEINFO`: two times two numbers behind a mark.
    private static func version(at offset: Int, in reader: ByteReader) -> String? {
        guard reader.integer(UInt32.self, at: offset) == 0xfeef_04bd,
            let high = reader.integer(UInt32.self, at: offset + 8),
            let low = reader.integer(UInt32.self, at: offset + 12), high != 0 || low != 0
        else { return nil }
        return [high >> 16, high & 0xffff, low >> 16, low & 0xffff].map(String.init).joined(separator: ".")
    }
}
