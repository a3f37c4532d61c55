/// The names of what Apple's systems number.
enum AppleNames {
    /// A kind of processor (`mach/machine.h`).
    static func architecture(type: UInt64, subtype: UInt64) -> String? {
        switch type {
        case 7: "i386"
        case 0x0100_0007: "x86_64"
        case 12: "arm"
        // The upper bits of the subtype are flags.
        case 0x0100_000c: subtype & 0xff == 2 ? "arm64e" : "arm64"
        case 0x0200_000c: "arm64_32"
        case 18: "ppc"
        case 0x0100_0012: "ppc64"
        default: nil
        }
    }

    private static let exceptions = [
        "EXC_BAD_ACCESS", "EXC_BAD_INSTRUCTION", "EXC_ARITHMETIC", "EXC_EMULATION", "EXC_SOFTWARE", "EXC_BREAKPOINT",
        "EXC_SYSCALL", "EXC_MACH_SYSCALL", "EXC_RPC_ALERT", "EXC_CRASH", "EXC_RESOURCE", "EXC_GUARD",
        "EXC_CORPSE_NOTIFY",
    ]

    /// A Mach exception (`mach/exception_types.h`); `nil` for a number that has no name.
    static func exception(_ number: UInt64) -> String? {
        guard let number = Int(exactly: number), (1...self.exceptions.count).contains(number) else { return nil }
        return self.exceptions[number - 1]
    }

    /// The signal that the system makes of a Mach exception which nobody handles.
    static func signal(ofException name: String, code: UInt64) -> String? {
        switch name {
        case "EXC_BAD_ACCESS": code == 1 ? "SIGSEGV" : "SIGBUS"
        case "EXC_BAD_INSTRUCTION": "SIGILL"
        case "EXC_ARITHMETIC": "SIGFPE"
        case "EXC_EMULATION": "SIGEMT"
        case "EXC_BREAKPOINT": "SIGTRAP"
        // It stands for a signal, which is in the code.
        case "EXC_CRASH" where code >> 24 & 0xff != 0: SignalName.darwin(Int(code >> 24 & 0xff))
        default: nil
        }
    }

    /// The code of a bad access (`mach/kern_return.h`).
    static func badAccess(_ code: UInt64) -> String? {
        switch code {
        case 1: "KERN_INVALID_ADDRESS"
        case 2: "KERN_PROTECTION_FAILURE"
        case 50: "KERN_CODESIGN_ERROR"
        default: nil
        }
    }
}
