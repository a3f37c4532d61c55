/// A format that is told by its first bytes.
protocol BinaryFormat: Sendable {
    /// - Returns: what the payload is; `nil` unless it begins as the format demands.
    static func read(_ window: PayloadWindow) -> Diagnosis?
}

/// All binary formats, in the order in which they are asked. A new format is one line here.
enum BinaryFormats {
    static let all: [any BinaryFormat.Type] = [
        CompressedCoreFormat.self,
        ELFCoreFormat.self,
        MachOCoreFormat.self,
        KernelDumpFormat.self,
        MinidumpFormat.self,
        WindowsDumpFormat.self,
        JournalFormat.self,
        PLCrashFormat.self,
        TombstoneFormat.self,
    ]
}
