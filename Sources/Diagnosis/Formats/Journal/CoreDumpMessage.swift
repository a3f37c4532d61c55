/// What systemd writes of a process whose memory it has kept: in the journal, and in what `coredumpctl info` shows.
///
/// ```
/// Process 3155 (billing) of user 1000 dumped core.
///
/// Module libpay.so.2 with build-id 08d49417149187a282932e827b0836fecef0d8a7
/// Stack trace of thread 3155:
/// #0  0x000055d0c1a01139 settle (billing + 0x1139)
/// #1  0x00007f3c1d046d68 n/a (libc.so.6 + 0x29d68)
/// ELF object binary architecture: AMD x86-64
/// ```
/// The thread that dumped core comes first. Source: systemd's `coredump/coredump.c` and `shared/elf-util.c`.
struct CoreDumpMessage {
    private(set) var process: Int64?
    private(set) var command: String?
    private(set) var threads: [Crash.Thread] = []
    private(set) var images: [Crash.Image] = []
    private(set) var architecture: String?

    /// - Parameter lines: the lines of the message, with any indentation.
    init(_ lines: some Sequence<ArraySlice<UInt8>>) {
        for line in lines.prefix(32_768) { self.read(line.trimmed) }
    }

    private mutating func read(_ line: ArraySlice<UInt8>) {
        if line.first == UInt8(ascii: "#") {
            guard let last = self.threads.indices.last, let frame = Self.frame(line) else { return }
            if self.threads[last].frames.count < 4_096 { self.threads[last].frames.append(frame) }
        } else if let number = line.dropping("Stack trace of thread ")?.leadingDigits?.decimalNumber {
            guard self.threads.count < Crash.Bounds.threadCount else { return }
            self.threads.append(Crash.Thread(number: number, isCrashed: self.threads.isEmpty, frames: []))
        } else if let process = Self.process(line) {
            (self.process, self.command) = (process.number, process.command)
        } else if let module = line.dropping("Module "), let build = module.lastRange(of: " with build-id ") {
            guard self.images.count < Crash.Bounds.imageCount else { return }
            let path = module[..<build.lowerBound]
            self.images.append(Crash.Image(path: path.text, buildID: module[build.upperBound...].text))
        } else if let architecture = line.dropping("ELF object binary architecture: ") {
            self.architecture = Self.architecture(architecture.text)
        }
    }

    /// `Process 3155 (billing) of user 1000 dumped core.`
    static func process(_ line: ArraySlice<UInt8>) -> (number: Int64, command: String)? {
        // journalctl shows an arrow where a terminal can open the manual.
        let line = line.dropping("[\u{1f855}] ") ?? line
        guard let rest = line.dropping("Process "), let number = rest.leadingDigits?.decimalNumber,
            let end = rest.range(of: ") of user "), let name = rest[..<end.lowerBound].after(" ("),
            rest[end.upperBound...].contains(" dumped core")
                || rest[end.upperBound...].contains(" terminated abnormally")
        else { return nil }
        return (number, name.text)
    }

    /// `#0  0x000055d0c1a01139 settle (billing + 0x1139)`; `n/a` stands for what is not known.
    private static func frame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        let text = line.dropFirst().drop(while: \.isDigit).trimmed
        let digits = text.prefix { $0 > 0x20 }
        guard let address = digits.hexNumber else { return nil }
        var name = text[digits.endIndex...].trimmed
        var (module, offset): (String?, UInt64?) = (nil, nil)
        if let rest = name.droppingSuffix(")"), let open = rest.lastRange(of: " (") {
            let inner = rest[open.upperBound...]
            let plus = inner.lastRange(of: " + 0x")
            let path = plus.map { inner[..<$0.lowerBound] } ?? inner
            module = path.elementsEqual("n/a".utf8) ? nil : path.text.nonEmpty
            offset = plus.flatMap { inner[$0.upperBound...].hexNumber }
            name = name[..<open.lowerBound]
        }
        let function = name.elementsEqual("n/a".utf8) ? nil : name.text.nonEmpty
        return Crash.Frame(
            function: function, module: module, address: address, moduleOffset: module == nil ? nil : offset,
            isOwn: NativeOwnership.isOwn(function: function, module: module))
    }

    /// The name of an architecture that elfutils writes, as everybody else writes it.
    static func architecture(_ name: String) -> String {
        switch name {
        case "AMD x86-64": "x86_64"
        case "AARCH64": "arm64"
        case "Intel 80386": "i386"
        default: name
        }
    }
}
