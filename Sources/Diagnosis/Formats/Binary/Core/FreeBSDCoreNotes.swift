/// The notes that FreeBSD writes under its name (`sys/sys/procfs.h`, `sys/kern/imgact_elf.c`).
enum FreeBSDCoreNotes {
    private enum NoteType {
        static let status: UInt32 = 1
        static let process: UInt32 = 3
        static let threadName: UInt32 = 7
        static let mappings: UInt32 = 10
        static let thread: UInt32 = 17
    }

    static func read(_ note: ELFNote, of file: ELFCoreFile, into notes: inout CoreNotes) {
        notes.system = "FreeBSD"
        notes.signals = .bsd
        switch note.type {
        case NoteType.status where notes.threads.count < Crash.Bounds.threadCount:
            notes.threads.append(self.thread(in: note.content, of: file))
        case NoteType.process:
            self.readProcess(in: note.content, of: file, into: &notes)
        case NoteType.threadName:
            // It follows the status of its thread.
            guard let last = notes.threads.indices.last else { break }
            notes.threads[last].name = file.reader.text(at: note.content.lowerBound, byteCount: 24)?.nonEmpty
        case NoteType.mappings where notes.mappings.isEmpty:
            notes.mappings = self.mappings(in: note.content, of: file.reader)
        case NoteType.thread where notes.signalInfo.isEmpty:
            if let info = self.signalInfo(in: note.content, of: file) { notes.signalInfo.append(info) }
        default: break
        }
    }

    /// `prstatus_t`: a version, three sizes, the system's version, the signal, the thread, the registers.
    private static func thread(in content: Range<Int>, of file: ELFCoreFile) -> CoreNotes.Thread {
        let fields =
            file.isWide
            ? (signal: 36, number: 40, registers: 48) : (signal: 20, number: 24, registers: 28)
        let start = content.lowerBound
        var thread = CoreNotes.Thread()
        thread.signal = file.reader.integer(Int32.self, at: start + fields.signal).map(Int.init) ?? 0
        thread.number = file.reader.integer(Int32.self, at: start + fields.number).map(Int64.init)
        thread.read(
            file.machine?.registersOnFreeBSD, at: start + fields.registers, limit: content.upperBound, of: file)
        return thread
    }

    /// `prpsinfo_t`: a version, a size, 17 bytes of the name, 81 of the arguments, and since version 12 the process.
    private static func readProcess(in content: Range<Int>, of file: ELFCoreFile, into notes: inout CoreNotes) {
        let name = content.lowerBound + (file.isWide ? 16 : 8)
        let process = content.lowerBound + (file.isWide ? 116 : 108)
        notes.command = file.reader.text(at: name, byteCount: 17)?.nonEmpty
        if process + 4 <= content.upperBound {
            notes.process = file.reader.integer(Int32.self, at: process).flatMap { $0 > 0 ? Int64($0) : nil }
        }
    }

    /// `struct ptrace_lwpinfo` behind its size; its flags tell whether there is a `siginfo_t` in it.
    private static func signalInfo(in content: Range<Int>, of file: ELFCoreFile) -> CoreNotes.SignalInfo? {
        let start = content.lowerBound + 4
        guard let flags = file.reader.integer(UInt32.self, at: start + 8), flags & 0x20 != 0 else { return nil }
        let info = start + (file.isWide ? 0x30 : 0x2c)
        guard let number = file.reader.integer(Int32.self, at: info),
            let code = file.reader.integer(Int32.self, at: info + 8), number > 0
        else { return nil }
        // Codes from 0x10000 on are no faults.
        let isFault = code > 0 && code < 0x10000
        return CoreNotes.SignalInfo(
            number: Int(number), code: Int(code), address: isFault ? file.word(at: info + 24) : nil,
            sender: code == 0x10001 ? file.reader.integer(Int32.self, at: info + 12).map(Int64.init) : nil)
    }

    /// `struct kinfo_vmentry`, each with its own size, behind the size of a whole one.
    private static func mappings(in content: Range<Int>, of reader: ByteReader) -> [CoreNotes.Mapping] {
        var mappings: [CoreNotes.Mapping] = []
        var entry = content.lowerBound + 4
        while entry < content.upperBound, let size = reader.integer(Int32.self, at: entry), size > 0 {
            let length = min(Int(size), content.upperBound - entry)
            if length > 0x88, let start = reader.integer(UInt64.self, at: entry + 8),
                let end = reader.integer(UInt64.self, at: entry + 16),
                let fileOffset = reader.integer(UInt64.self, at: entry + 24), start < end
            {
                let path = reader.available(at: entry + 0x88, limit: length - 0x88).prefix { $0 != 0 }
                if !path.isEmpty {
                    mappings.append(
                        CoreNotes.Mapping(start: start, end: end, fileOffset: fileOffset, path: path.text))
                }
            }
            entry += Int(size)
        }
        return mappings
    }
}
