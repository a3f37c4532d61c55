/// The notes that Linux writes under the name `CORE`; gdb, Valgrind and .NET's `createdump` write the same.
///
/// For each thread there is an `NT_PRSTATUS`, for the process one `NT_PRPSINFO`, `NT_SIGINFO`, `NT_AUXV` and `NT_FILE`
/// (`fs/binfmt_elf.c`).
enum LinuxCoreNotes {
    private enum NoteType {
        static let status: UInt32 = 1
        static let process: UInt32 = 3
        static let auxiliary: UInt32 = 6
        static let signal: UInt32 = 0x5349_4749
        static let files: UInt32 = 0x4649_4c45
    }

    static func read(_ note: ELFNote, of file: ELFCoreFile, into notes: inout CoreNotes) {
        switch note.type {
        case NoteType.status where notes.threads.count < Crash.Bounds.threadCount:
            if let thread = self.thread(in: note.content, of: file) { notes.threads.append(thread) }
        case NoteType.process where notes.command == nil:
            self.readProcess(in: note.content, of: file.reader, into: &notes)
        case NoteType.auxiliary where notes.programAddress == nil:
            notes.programAddress = self.programAddress(in: note.content, of: file)
        case NoteType.signal where notes.signalInfo.count < Crash.Bounds.threadCount:
            if let info = self.signalInfo(in: note.content, of: file) { notes.signalInfo.append(info) }
        case NoteType.files where notes.mappings.isEmpty:
            notes.mappings = self.mappings(in: note.content, of: file)
        default: break
        }
    }

    /// `struct elf_prstatus`: the signal, words whose width depends on the class, the registers.
    private static func thread(in content: Range<Int>, of file: ELFCoreFile) -> CoreNotes.Thread? {
        let (reader, start) = (file.reader, content.lowerBound)
        guard content.count >= 28 else { return nil }
        var thread = CoreNotes.Thread()
        thread.signal = reader.integer(Int16.self, at: start + 12).flatMap { $0 > 0 ? Int($0) : nil } ?? 0
        thread.code = reader.integer(Int32.self, at: start + 4).flatMap { $0 != 0 ? Int($0) : nil }
        let isLoose = file.machine?.isLooselyAligned ?? false
        let offsets =
            isLoose
            ? (number: 22, registers: 70)
            : file.isWide ? (number: 32, registers: 112) : (number: 24, registers: 72)
        thread.number = reader.integer(Int32.self, at: start + offsets.number).map(Int64.init)
        thread.read(
            file.machine?.registers, at: start + offsets.registers, limit: content.upperBound, of: file)
        thread.readAll(at: start + offsets.registers, limit: content.upperBound, of: file)
        return thread
    }

    /// `struct elf_prpsinfo`, whose size tells the width of the numbers of users in it.
    private static func readProcess(in content: Range<Int>, of reader: ByteReader, into notes: inout CoreNotes) {
        let fields =
            switch content.count {
            case 136...: (process: 24, name: 40)
            case 128..<136: (process: 16, name: 32)
            case 124..<128: (process: 12, name: 28)
            default: (process: 0, name: 0)
            }
        guard fields.name > 0, let process = reader.integer(Int32.self, at: content.lowerBound + fields.process)
        else { return }
        // Valgrind leaves the number out.
        if process > 0 { notes.process = Int64(process) }
        notes.command = reader.text(at: content.lowerBound + fields.name, byteCount: 16)?.nonEmpty
    }

    /// `siginfo_t`: three numbers, and from the next word on what belongs to the kind of the signal.
    private static func signalInfo(in content: Range<Int>, of file: ELFCoreFile) -> CoreNotes.SignalInfo? {
        let start = content.lowerBound
        let isSwapped = file.machine?.hasSwappedSignalInfo ?? false
        guard let number = file.reader.integer(Int32.self, at: start),
            let code = file.reader.integer(Int32.self, at: start + (isSwapped ? 4 : 8))
        else { return nil }
        let rest = start + (file.isWide ? 16 : 12)
        let isFault = code > 0 && code < SignalCode.kernel
        return CoreNotes.SignalInfo(
            number: Int(number), code: Int(code), address: isFault ? file.word(at: rest) : nil,
            sender: code <= 0 ? file.reader.integer(Int32.self, at: rest).map(Int64.init) : nil)
    }

    /// Pairs of a type and a value, of which the address of the program's segment table and its entry point are such
    /// that the program's own file holds them.
    private static func programAddress(in content: Range<Int>, of file: ELFCoreFile) -> UInt64? {
        var entry: UInt64?
        var offset = content.lowerBound
        while offset < content.upperBound, let type = file.word(at: offset), type != 0,
            let value = file.word(at: offset + file.wordByteCount)
        {
            if type == 3, value != 0 { return value }
            if type == 9 { entry = value }
            offset += 2 * file.wordByteCount
        }
        return entry
    }

    /// The number of mappings, the size of a page, for each mapping its beginning, end and place in its file in pages,
    /// then the paths.
    private static func mappings(in content: Range<Int>, of file: ELFCoreFile) -> [CoreNotes.Mapping] {
        let width = file.wordByteCount
        guard let stated = file.word(at: content.lowerBound), let page = file.word(at: content.lowerBound + width),
            let count = Int(exactly: stated), count <= content.count / (3 * width)
        else { return [] }
        var offset = content.lowerBound + 2 * width
        var name = offset + count * 3 * width
        var mappings: [CoreNotes.Mapping] = []
        for _ in 0..<count {
            guard let start = file.word(at: offset), let end = file.word(at: offset + width),
                let pages = file.word(at: offset + 2 * width), name < content.upperBound
            else { break }
            offset += 3 * width
            // No path is longer than the kernel's 4,096 bytes.
            let rest = file.reader.available(at: name, limit: min(4_096, content.upperBound - name))
            let path = rest.prefix { $0 != 0 }
            guard path.count < rest.count else { break }
            name += path.count + 1
            let (fileOffset, overflow) = pages.multipliedReportingOverflow(by: page)
            guard start < end, !overflow else { continue }
            mappings.append(
                CoreNotes.Mapping(
                    start: start, end: end, fileOffset: fileOffset,
                    path: (path.droppingSuffix(" (deleted)") ?? path).text))
        }
        return mappings
    }
}

extension CoreNotes.Thread {
    /// Reads the registers that matter here.
    mutating func read(_ registers: CoreMachine.Registers?, at offset: Int, limit: Int, of file: ELFCoreFile) {
        guard let registers else { return }
        func register(_ index: Int?) -> UInt64? {
            guard let index, offset + (index + 1) * registers.byteCount <= limit else { return nil }
            let place = offset + index * registers.byteCount
            return registers.byteCount == 8
                ? file.reader.integer(UInt64.self, at: place)
                : file.reader.integer(UInt32.self, at: place).map(UInt64.init)
        }
        self.instruction = register(registers.instruction).map { $0 & (file.machine?.addressMask ?? .max) }
        self.stack = register(registers.stack)
        self.frame = register(registers.frame)
    }

    /// Reads all registers of a processor whose registers have names here, each of which has eight bytes.
    fileprivate mutating func readAll(at offset: Int, limit: Int, of file: ELFCoreFile) {
        for (index, name) in (file.machine?.registerNames ?? []).enumerated() {
            let place = offset + index * 8
            guard place + 8 <= limit, let value = file.reader.integer(UInt64.self, at: place) else { break }
            self.registers.append(Crash.Register(name: name, value: value))
        }
    }
}
