/// What the notes of a core tell about the process that died.
///
/// Each system writes notes of its own, under its own name as their owner. This is what they have in common.
struct CoreNotes {
    struct Thread {
        var number: Int64?
        var name: String?
        /// The signal that the thread got, or 0.
        var signal = 0
        var code: Int?
        var instruction: UInt64?
        var stack: UInt64?
        var frame: UInt64?
        /// All that have a name here.
        var registers: [Crash.Register] = []
    }

    /// The kernel's account of a signal.
    struct SignalInfo {
        let number: Int
        let code: Int
        /// The address whose use was the fault, if the code is one of a fault.
        let address: UInt64?
        /// The process that sent the signal, if the code is one of a sent signal.
        let sender: Int64?
    }

    /// A file, or a part of one, in the process's memory.
    struct Mapping {
        let start: UInt64
        let end: UInt64
        let fileOffset: UInt64
        var path: String
    }

    var system = "Linux"
    var signals: SignalName.System = .linux
    /// The kernel's short name of the process.
    var command: String?
    var process: Int64?
    var threads: [Thread] = []
    var signalInfo: [SignalInfo] = []
    var mappings: [Mapping] = []
    /// An address within the program's own file: its entry point or its table of segments.
    var programAddress: UInt64?
    /// What a kernel says about itself, in lines of `NAME=VALUE`.
    var kernel: ArraySlice<UInt8>?
    /// Whether it is the memory of a virtual machine.
    var isOfVirtualMachine = false

    init(_ file: ELFCoreFile) {
        self.signals = file.machine?.signals ?? .linux
        guard let range = file.notes else { return }
        ELFNote.forEach(in: range, of: file.reader) { note in
            switch note.owner {
            case "CORE" where !file.isOfSolaris: LinuxCoreNotes.read(note, of: file, into: &self)
            case "FreeBSD": FreeBSDCoreNotes.read(note, of: file, into: &self)
            case "NetBSD-CORE": self.readProcess(note, of: file, system: "NetBSD", process: 0x50, name: 0x7c, type: 1)
            case "OpenBSD": self.readProcess(note, of: file, system: "OpenBSD", process: 0x20, name: 0x48, type: 10)
            case "VMCOREINFO":
                self.kernel = file.reader.available(at: note.content.lowerBound, limit: note.content.count)
            case "QEMU": self.isOfVirtualMachine = true
            default: break
            }
        }
    }

    /// The thread that died: the kernel writes it first, others mark it by its signal.
    var crashedThread: Int? {
        self.threads.firstIndex { $0.signal != 0 } ?? self.threads.indices.first
    }

    /// The notes of NetBSD and OpenBSD about the process have the same form, with other offsets.
    private mutating func readProcess(
        _ note: ELFNote, of file: ELFCoreFile, system: String, process: Int, name: Int, type: UInt32
    ) {
        guard note.type == type else { return }
        let start = note.content.lowerBound
        self.system = system
        self.signals = .bsd
        self.process = file.reader.integer(Int32.self, at: start + process).map(Int64.init)
        self.command = file.reader.text(at: start + name, byteCount: 31)?.nonEmpty
        let signal = file.reader.integer(UInt32.self, at: start + 8).flatMap { Int(exactly: $0) } ?? 0
        if self.threads.isEmpty { self.threads = [Thread(signal: signal)] }
    }
}

/// One note of an ELF file.
struct ELFNote {
    let owner: String
    let type: UInt32
    /// Where its content is.
    let content: Range<Int>

    /// Reads notes one after the other, up to the first one that cannot be read.
    static func forEach(in range: Range<Int>, of reader: ByteReader, _ body: (ELFNote) -> Void) {
        var offset = range.lowerBound
        while offset < range.upperBound,
            let nameLength = reader.offset(UInt32.self, at: offset),
            let length = reader.offset(UInt32.self, at: offset + 4),
            let type = reader.integer(UInt32.self, at: offset + 8)
        {
            let content = offset + 12 + self.padded(nameLength)
            if let owner = reader.text(at: offset + 12, byteCount: nameLength) {
                body(ELFNote(owner: owner, type: type, content: content..<content + length))
            }
            offset = content + self.padded(length)
        }
    }

    private static func padded(_ length: Int) -> Int {
        (length + 3) & ~3
    }
}
