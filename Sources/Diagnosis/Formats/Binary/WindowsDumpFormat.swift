/// A dump of the memory of Windows itself after a stop error, of any kind from complete to small.
///
/// It begins with `PAGEDU64`, or `PAGEDUMP` on 32 bits; the code of the stop error is at a fixed place behind.
enum WindowsDumpFormat: BinaryFormat {
    static func read(_ window: PayloadWindow) -> Diagnosis? {
        let isWide = window.hasPrefix("PAGEDU64")
        guard isWide || window.hasPrefix("PAGEDUMP") else { return nil }
        let reader = ByteReader(window)
        // The version is a small number, which no text can have there.
        guard let version = reader.integer(UInt32.self, at: 8), version < 0x10000 else { return nil }
        let fields = isWide ? (machine: 0x30, code: 0x38, time: 0xfa8) : (machine: 0x20, code: 0x28, time: 0xfc0)
        let code = reader.integer(UInt32.self, at: fields.code) ?? 0
        var cause = Crash.Cause(type: self.names[code] ?? "bug check 0x\(String(code, radix: 16))")
        if self.names[code] != nil { cause.code = "0x\(String(code, radix: 16))" }
        var crash = Crash(cause: cause)
        crash.system.name = "Windows"
        crash.system.version = reader.integer(UInt32.self, at: 12).map { "build \($0)" }
        switch reader.integer(UInt32.self, at: fields.machine) {
        case 0x14c: crash.system.architecture = "i386"
        case 0x8664: crash.system.architecture = "x86_64"
        case 0xaa64: crash.system.architecture = "arm64"
        default: break
        }
        crash.occurredAt = self.time(reader.integer(UInt64.self, at: fields.time))
        // The only code of a dump that somebody asked for while Windows went on.
        let isLive = code == 0x161
        return Diagnosis(
            format: "windows-kernel-dump", contentType: "application/x-dmp", kind: isLive ? .diagnostic : .crash,
            summary: crash.nativeSummary(subject: "Windows"), crash: crash)
    }

    /// Units of 100 ns since 1601, as milliseconds since 1970.
    private static func time(_ stamp: UInt64?) -> Int64? {
        guard let stamp, (116_444_736_000_000_000..<2_650_467_744_000_000_000).contains(stamp) else { return nil }
        return Int64(stamp / 10_000) - 11_644_473_600_000
    }

    private static let names: [UInt32: String] = [
        0x0a: "IRQL_NOT_LESS_OR_EQUAL", 0x19: "BAD_POOL_HEADER", 0x1a: "MEMORY_MANAGEMENT",
        0x1e: "KMODE_EXCEPTION_NOT_HANDLED", 0x24: "NTFS_FILE_SYSTEM", 0x3b: "SYSTEM_SERVICE_EXCEPTION",
        0x50: "PAGE_FAULT_IN_NONPAGED_AREA", 0x74: "BAD_SYSTEM_CONFIG_INFO", 0x7a: "KERNEL_DATA_INPAGE_ERROR",
        0x7b: "INACCESSIBLE_BOOT_DEVICE", 0x7e: "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED",
        0x7f: "UNEXPECTED_KERNEL_MODE_TRAP", 0x8e: "KERNEL_MODE_EXCEPTION_NOT_HANDLED",
        0x9f: "DRIVER_POWER_STATE_FAILURE", 0xc2: "BAD_POOL_CALLER", 0xc4: "DRIVER_VERIFIER_DETECTED_VIOLATION",
        0xc5: "DRIVER_CORRUPTED_EXPOOL", 0xd1: "DRIVER_IRQL_NOT_LESS_OR_EQUAL", 0xe2: "MANUALLY_INITIATED_CRASH",
        0xef: "CRITICAL_PROCESS_DIED", 0xf4: "CRITICAL_OBJECT_TERMINATION", 0x101: "CLOCK_WATCHDOG_TIMEOUT",
        0x116: "VIDEO_TDR_FAILURE", 0x124: "WHEA_UNCORRECTABLE_ERROR", 0x133: "DPC_WATCHDOG_VIOLATION",
        0x139: "KERNEL_SECURITY_CHECK_FAILURE", 0x154: "UNEXPECTED_STORE_EXCEPTION", 0x161: "LIVE_SYSTEM_DUMP",
    ]
}
