/// The exception of a minidump: what happened, in which thread.
struct MinidumpException {
    /// The number of the thread.
    let thread: UInt32
    /// The thread's registers at the time.
    let context: MinidumpFile.Location?
    private let code: UInt32
    /// Windows: whether the program may go on. Linux: the signal's code. Apple: the exception's code.
    private let flags: UInt32
    private let address: UInt64
    private let parameters: [UInt64]

    init?(_ file: MinidumpFile) {
        guard let stream = file.stream(MinidumpFile.StreamType.exception) else { return nil }
        let (reader, start) = (file.reader, stream.offset)
        guard let thread = reader.integer(UInt32.self, at: start),
            let code = reader.integer(UInt32.self, at: start + 8),
            let flags = reader.integer(UInt32.self, at: start + 12),
            let address = reader.integer(UInt64.self, at: start + 24)
        else { return nil }
        self.thread = thread
        self.code = code
        self.flags = flags
        self.address = address
        let count = min(Int(reader.integer(UInt32.self, at: start + 32) ?? 0), 15)
        self.parameters = (0..<count).compactMap { reader.integer(UInt64.self, at: start + 40 + $0 * 8) }
        self.context = file.location(at: start + 160)
    }

    /// Whether the program asked for the dump and went on. The numbers are those of Breakpad, of Crashpad, and of
    /// Crashpad on Apple's systems.
    var isRequested: Bool {
        [0xffff_ffff, 0x0517_a7ed, 0x4350_7378].contains(self.code)
    }

    /// Whether the process has sent a signal to itself, as `abort` does.
    func isSentByItself(on system: MinidumpSystem?) -> Bool {
        system?.platform == .linux && Int32(bitPattern: self.flags) == -6
    }

    /// Whether the system found that the program does not answer (Windows Error Reporting).
    var isHang: Bool { self.code == 0xcfff_ffff }

    /// The cause in the words of the system.
    func cause(on system: MinidumpSystem?) -> Crash.Cause {
        if self.isRequested { return Crash.Cause(type: "requested dump") }
        switch system?.platform {
        case .apple: return self.causeOnApple
        case .linux: return self.causeOnLinux(isMIPS: system?.processor == 1 || system?.processor == 0x8004)
        case .fuchsia:
            let name = Self.fuchsia[self.code] ?? "exception 0x\(String(self.code, radix: 16))"
            return Crash.Cause(type: name, address: self.address == 0 ? nil : self.address)
        case .windows: return WindowsException.cause(self.code, parameters: self.parameters, at: self.address)
        case .other, nil:
            // The systems whose exceptions are signals have small numbers.
            return self.code < 32
                ? self.causeOnLinux(isMIPS: false)
                : WindowsException.cause(self.code, parameters: self.parameters, at: self.address)
        }
    }

    private func causeOnLinux(isMIPS: Bool) -> Crash.Cause {
        let name = SignalName.name(of: Int(self.code), on: isMIPS ? .mips : .linux)
        var cause = Crash.Cause(type: name, signal: name)
        let code = Int(Int32(bitPattern: self.flags))
        // Old writers left the code out, which made it 0.
        if code != 0 { cause.code = SignalCode.linux(code, of: name) }
        // For other signals the place of the address holds the sender.
        let isFault = SignalCode.isOfFault(name) && code >= 0 && code < Int(SignalCode.kernel)
        if isFault, self.address != 0 || code > 0 { cause.address = self.address }
        return cause
    }

    private var causeOnApple: Crash.Cause {
        let name = AppleNames.exception(UInt64(self.code)) ?? "exception 0x\(String(self.code, radix: 16))"
        let flags = UInt64(self.flags)
        var cause = Crash.Cause(type: name, signal: AppleNames.signal(ofException: name, code: flags))
        if name == "EXC_BAD_ACCESS" {
            cause.code = AppleNames.badAccess(flags)
            cause.address = self.address
        }
        return cause
    }

    /// The kinds of exceptions of Zircon (`zircon/syscalls/exception.h`).
    private static let fuchsia: [UInt32: String] = [
        0x8: "ZX_EXCP_GENERAL", 0x108: "ZX_EXCP_FATAL_PAGE_FAULT", 0x208: "ZX_EXCP_UNDEFINED_INSTRUCTION",
        0x308: "ZX_EXCP_SW_BREAKPOINT", 0x408: "ZX_EXCP_HW_BREAKPOINT", 0x508: "ZX_EXCP_UNALIGNED_ACCESS",
        0x8208: "ZX_EXCP_POLICY_ERROR",
    ]
}
