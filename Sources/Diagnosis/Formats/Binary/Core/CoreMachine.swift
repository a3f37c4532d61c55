/// A kind of processor, and where a core of it keeps what a listing wants to know.
///
/// The layouts are those of the kernel's `struct elf_prstatus` with the registers of each processor
/// (`arch/*/include/asm/elf.h`), and of FreeBSD's `struct reg`.
struct CoreMachine {
    /// The indices of three registers among those that a core keeps of a thread.
    struct Registers {
        /// The bytes of one register.
        let byteCount: Int
        let instruction: Int
        let stack: Int
        /// `nil` where programs keep no chain of frames, or keep it in another way.
        var frame: Int?
    }

    /// For example `x86_64`.
    let name: String
    /// On Linux.
    let registers: Registers?
    let signals: SignalName.System
    /// Whether `si_code` stands before `si_errno`.
    var hasSwappedSignalInfo = false
    /// Whether the compiler aligns no member to more than two bytes.
    var isLooselyAligned = false
    /// The bits of a return address that are an address; the others sign it.
    var addressMask = UInt64.max

    /// - Parameters:
    ///   - number: the `e_machine` of the file's header.
    ///   - isWide: whether it is a file of the 64-bit class.
    ///   - isBigEndian: whether the file has the most significant byte first.
    ///   - flags: the `e_flags` of the file's header.
    init?(number: UInt16, isWide: Bool, isBigEndian: Bool, flags: UInt32) {
        switch number {
        case 62:
            // The registers of the x32 ABI are as wide as those of x86_64.
            self.init("x86_64", Registers(byteCount: 8, instruction: 16, stack: 19, frame: 4))
        case 3: self.init("i386", Registers(byteCount: 4, instruction: 12, stack: 15, frame: 5))
        case 40: self.init("arm", Registers(byteCount: 4, instruction: 15, stack: 13))
        case 183:
            self.init("aarch64", Registers(byteCount: 8, instruction: 32, stack: 31, frame: 29))
            self.addressMask = 0xffff_ffff_ffff
        case 243:
            self.init(
                isWide ? "riscv64" : "riscv32", Registers(byteCount: isWide ? 8 : 4, instruction: 0, stack: 2))
        case 20: self.init("ppc", Registers(byteCount: 4, instruction: 32, stack: 1))
        case 21: self.init(isBigEndian ? "ppc64" : "ppc64le", Registers(byteCount: 8, instruction: 32, stack: 1))
        case 22:
            self.init(isWide ? "s390x" : "s390", Registers(byteCount: isWide ? 8 : 4, instruction: 1, stack: 17))
            // The upper bit of a 31-bit address tells the mode of addressing.
            if !isWide { self.addressMask = 0x7fff_ffff }
        case 258:
            self.init(
                isWide ? "loongarch64" : "loongarch32", Registers(byteCount: isWide ? 8 : 4, instruction: 33, stack: 3))
        case 4:
            self.init("m68k", Registers(byteCount: 4, instruction: 18, stack: 15))
            self.isLooselyAligned = true
        case 42: self.init("sh", Registers(byteCount: 4, instruction: 16, stack: 15))
        case 2, 18: self.init("sparc", Registers(byteCount: 4, instruction: 33, stack: 14), signals: .sparc)
        case 43: self.init("sparc64", Registers(byteCount: 8, instruction: 33, stack: 14), signals: .sparc)
        case 0x9026: self.init("alpha", Registers(byteCount: 8, instruction: 31, stack: 30), signals: .alpha)
        case 8: self.init(mipsWithFlags: flags, isWide: isWide, isBigEndian: isBigEndian)
        case 15: self.init("parisc", nil)
        case 50: self.init("ia64", nil)
        default: return nil
        }
    }

    private init(_ name: String, _ registers: Registers?, signals: SignalName.System = .linux) {
        self.name = name
        self.registers = registers
        self.signals = signals
    }

    private init(mipsWithFlags flags: UInt32, isWide: Bool, isBigEndian: Bool) {
        // The n32 ABI is of the 32-bit class, but has registers of 64 bits.
        let hasWideRegisters = isWide || flags & 0x20 != 0
        let name = (isWide ? "mips64" : "mips") + (isBigEndian ? "" : "el")
        self.init(
            name,
            hasWideRegisters
                ? Registers(byteCount: 8, instruction: 34, stack: 29)
                : Registers(byteCount: 4, instruction: 40, stack: 35), signals: .mips)
        self.hasSwappedSignalInfo = true
    }

    /// The names of the registers in the order in which Linux keeps them; none for most processors.
    var registerNames: [String] {
        switch self.name {
        case "x86_64": Self.x86Names
        case "aarch64": Self.armNames
        default: []
        }
    }

    private static let x86Names = [
        "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi",
        "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs",
    ]
    private static let armNames = (0...30).map { "x\($0)" } + ["sp", "pc", "cpsr"]

    /// The registers on FreeBSD.
    var registersOnFreeBSD: Registers? {
        switch self.name {
        case "x86_64": Registers(byteCount: 8, instruction: 17, stack: 20, frame: 10)
        case "i386": Registers(byteCount: 4, instruction: 13, stack: 16, frame: 6)
        case "aarch64": Registers(byteCount: 8, instruction: 32, stack: 31, frame: 29)
        case "arm": Registers(byteCount: 4, instruction: 15, stack: 13)
        case "riscv64": Registers(byteCount: 8, instruction: 31, stack: 1)
        case "ppc64", "ppc64le": Registers(byteCount: 8, instruction: 36, stack: 1)
        case "ppc": Registers(byteCount: 4, instruction: 36, stack: 1)
        default: nil
        }
    }
}
