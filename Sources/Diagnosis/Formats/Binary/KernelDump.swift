/// The memory of a kernel that has died, told by what the kernel says about itself in its `VMCOREINFO`.
///
/// ```
/// OSRELEASE=6.1.0-26-amd64
/// CRASHTIME=1764321012
/// ```
/// The kernel adds the time when it crashes (`kernel/vmcore_info.c`). The message of the panic is in its log, which is
/// somewhere in the memory.
enum KernelDump {
    static let format = "vmcore"

    /// - Parameters:
    ///   - information: the lines of `VMCOREINFO`; `nil` if there are none.
    ///   - release: the kernel's version, where something else tells it.
    ///   - architecture: the kind of processor.
    ///   - occurredAt: the time of the crash, where something else tells it.
    ///   - isOfVirtualMachine: whether a host wrote it, which it does for a machine that goes on as well.
    /// - Returns: the diagnosis. Its kind is assumed where nothing shows that the kernel has crashed.
    static func diagnosis(
        information: ArraySlice<UInt8>?, release: String? = nil, architecture: String?, occurredAt: Int64? = nil,
        isOfVirtualMachine: Bool = false
    ) -> Diagnosis {
        let lines = (information ?? []).prefix(8_192).split(separator: UInt8(ascii: "\n"))
        func value(_ name: String) -> ArraySlice<UInt8>? {
            lines.lazy.compactMap { $0.dropping(name) }.first
        }
        let release = value("OSRELEASE=")?.prefix { $0 != 0 }.trimmed.text.nonEmpty ?? release
        var crash = Crash(cause: Crash.Cause(type: "kernel crash dump"))
        crash.system = Crash.System(name: "Linux", version: release, architecture: architecture)
        // Within 9999 years, so that the product cannot overflow.
        let time = value("CRASHTIME=").flatMap { $0.leadingDigits?.decimalNumber }
        crash.occurredAt = time.flatMap { (1..<253_402_300_800).contains($0) ? $0 * 1_000 : nil } ?? occurredAt
        let isAssumed = isOfVirtualMachine && time == nil
        if isAssumed { crash.cause.type = "dump of a virtual machine" }
        return Diagnosis(
            format: self.format, contentType: "application/x-coredump", kind: .crash, isAssumed: isAssumed,
            summary: crash.summary(subject: Words.join("Linux", release, separator: " ")), crash: crash)
    }
}

/// A kernel's memory in the form of `makedumpfile`, compressed page by page, as `kdump` stores it.
///
/// It begins with `KDUMP   ` and the kernel's `utsname`. Where it was sent through a pipe, it is in pieces behind a
/// header that begins with `makedumpfile`.
enum KernelDumpFormat: BinaryFormat {
    static func read(_ window: PayloadWindow) -> Diagnosis? {
        if window.hasPrefix("KDUMP   ") || window.hasPrefix("DISKDUMP") { return self.read(window, at: 0) }
        guard window.hasPrefix("makedumpfile\0\0\0\0") else { return nil }
        // The pieces follow the header of 4,096 bytes, each with its place and its length.
        let isFirst = ByteReader(window, isBigEndian: true).integer(UInt64.self, at: 4_096) == 0
        return (isFirst ? self.read(window, at: 4_096 + 16) : nil)
            ?? KernelDump.diagnosis(
                information: nil, architecture: nil)
    }

    /// The header of the dump, `struct disk_dump_header`, and the one behind it, `struct kdump_sub_header`.
    private static func read(_ window: PayloadWindow, at start: Int) -> Diagnosis? {
        // The version is a small number in the byte order of the machine. No text can have it there.
        let readers = [ByteReader(window), ByteReader(window, isBigEndian: true)]
        guard let reader = readers.first(where: { $0.integer(UInt32.self, at: start + 8).map { $0 < 1_000 } ?? false })
        else { return nil }
        func name(_ index: Int) -> String? {
            reader.text(at: start + 12 + index * 65, byteCount: 65)?.nonEmpty
        }
        var (information, seconds): (ArraySlice<UInt8>?, Int64) = (nil, 0)
        // The size of a block is a power of two; where it is none, the header is that of a machine of 32 bits.
        if let block = reader.offset(UInt32.self, at: start + 428), block >= 1_024, block.nonzeroBitCount == 1 {
            seconds = reader.integer(Int64.self, at: start + 408) ?? 0
            if let offset = reader.offset(UInt64.self, at: start + block + 32),
                let count = reader.offset(UInt64.self, at: start + block + 40)
            {
                information = reader.bytes(at: start + offset, count: min(count, 8_192))
            }
        }
        return KernelDump.diagnosis(
            information: information, release: name(2), architecture: name(4),
            occurredAt: (1..<253_402_300_800).contains(seconds) ? seconds * 1_000 : nil)
    }
}
