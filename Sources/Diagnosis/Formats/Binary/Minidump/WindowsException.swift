/// The exceptions of Windows by their numbers (`winnt.h`, `ntstatus.h`).
enum WindowsException {
    private static let accessViolation: UInt32 = 0xc000_0005
    private static let inPageError: UInt32 = 0xc000_0006
    private static let fastFail: UInt32 = 0xc000_0409

    /// - Parameters:
    ///   - code: the number of the exception.
    ///   - parameters: what the exception has besides.
    ///   - address: where the exception happened.
    /// - Returns: the cause; its code is the number where its type is a name.
    static func cause(_ code: UInt32, parameters: [UInt64], at address: UInt64) -> Crash.Cause {
        var cause = Crash.Cause(type: self.names[code] ?? "exception 0x\(String(code, radix: 16))")
        if self.names[code] != nil { cause.code = "0x\(String(code, radix: 16))" }
        switch code {
        case self.accessViolation, self.inPageError:
            guard parameters.count >= 2 else {
                cause.address = address
                break
            }
            let verb = [0: "reading", 1: "writing", 8: "executing"][parameters[0]] ?? "using"
            cause.address = parameters[1]
            cause.message = "\(verb) 0x\(String(parameters[1], radix: 16))"
        case self.fastFail:
            if let first = parameters.first, let index = Int(exactly: first), self.fastFails.indices.contains(index) {
                cause.message = "fast fail \(self.fastFails[index])"
            }
        default: break
        }
        return cause
    }

    private static let names: [UInt32: String] = [
        0x4000_0015: "STATUS_FATAL_APP_EXIT", 0x8000_0001: "EXCEPTION_GUARD_PAGE",
        0x8000_0002: "EXCEPTION_DATATYPE_MISALIGNMENT", 0x8000_0003: "EXCEPTION_BREAKPOINT",
        0x8000_0004: "EXCEPTION_SINGLE_STEP", 0xc000_0005: "EXCEPTION_ACCESS_VIOLATION",
        0xc000_0006: "EXCEPTION_IN_PAGE_ERROR", 0xc000_0008: "EXCEPTION_INVALID_HANDLE",
        0xc000_0017: "STATUS_NO_MEMORY", 0xc000_001d: "EXCEPTION_ILLEGAL_INSTRUCTION",
        0xc000_0025: "EXCEPTION_NONCONTINUABLE_EXCEPTION", 0xc000_0026: "EXCEPTION_INVALID_DISPOSITION",
        0xc000_008c: "EXCEPTION_ARRAY_BOUNDS_EXCEEDED", 0xc000_008d: "EXCEPTION_FLT_DENORMAL_OPERAND",
        0xc000_008e: "EXCEPTION_FLT_DIVIDE_BY_ZERO", 0xc000_008f: "EXCEPTION_FLT_INEXACT_RESULT",
        0xc000_0090: "EXCEPTION_FLT_INVALID_OPERATION", 0xc000_0091: "EXCEPTION_FLT_OVERFLOW",
        0xc000_0092: "EXCEPTION_FLT_STACK_CHECK", 0xc000_0093: "EXCEPTION_FLT_UNDERFLOW",
        0xc000_0094: "EXCEPTION_INT_DIVIDE_BY_ZERO", 0xc000_0095: "EXCEPTION_INT_OVERFLOW",
        0xc000_0096: "EXCEPTION_PRIV_INSTRUCTION", 0xc000_00fd: "EXCEPTION_STACK_OVERFLOW",
        0xc000_0135: "STATUS_DLL_NOT_FOUND", 0xc000_0139: "STATUS_ENTRYPOINT_NOT_FOUND",
        0xc000_013a: "STATUS_CONTROL_C_EXIT", 0xc000_0142: "STATUS_DLL_INIT_FAILED",
        0xc000_0194: "EXCEPTION_POSSIBLE_DEADLOCK", 0xc000_0374: "STATUS_HEAP_CORRUPTION",
        0xc000_0409: "STATUS_STACK_BUFFER_OVERRUN", 0xc000_0417: "STATUS_INVALID_CRUNTIME_PARAMETER",
        0xc000_041d: "STATUS_FATAL_USER_CALLBACK_EXCEPTION", 0xc000_0420: "STATUS_ASSERTION_FAILURE",
        0xc000_0602: "STATUS_FAIL_FAST_EXCEPTION", 0xcfff_ffff: "application hang",
        0xe000_0008: "out of memory", 0xe06d_7363: "C++ exception", 0xe043_4352: ".NET exception",
        0xe043_4f4d: ".NET exception",
    ]

    /// The codes of `__fastfail`, by their numbers.
    private static let fastFails = [
        "LEGACY_GS_VIOLATION", "VTGUARD_CHECK_FAILURE", "STACK_COOKIE_CHECK_FAILURE", "CORRUPT_LIST_ENTRY",
        "INCORRECT_STACK", "INVALID_ARG", "GS_COOKIE_INIT", "FATAL_APP_EXIT", "RANGE_CHECK_FAILURE",
        "UNSAFE_REGISTRY_ACCESS", "GUARD_ICALL_CHECK_FAILURE",
    ]
}
