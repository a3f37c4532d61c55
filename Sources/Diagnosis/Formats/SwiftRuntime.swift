/// Tells a Swift program's own code from Swift's runtime, and knows the words of Swift's backtracer.
enum SwiftRuntime {
    private static let images = [
        "libswift", "libFoundation", "lib_Foundation", "libdispatch", "libBlocksRuntime", "libc.so", "libpthread.so",
        "ld-linux", "ld-musl", "libstdc++.so", "libm.so", "libgcc_s.so", "linux-vdso", "lib_Internal",
    ]

    /// A statically linked program has the runtime's functions in its own image. Names that are not demangled begin
    /// with `$`.
    private static let functions = [
        "_assertionFailure(", "_fatalErrorMessage(", "swift_unexpectedError", "swift_reportError",
        "swift_dynamicCastFailure", "$ss17_assertionFailure", "$ss18_fatalErrorMessage",
    ]

    /// Whether a frame is the program's, by the name of its image and its function.
    static func isProgram(image: String, function: String) -> Bool {
        !self.images.contains { image.hasPrefix($0) } && !self.functions.contains { function.contains($0) }
    }

    /// What the runtime failed at, where the backtracer's description says that it was a check of the runtime.
    static func failure(in description: String) -> String? {
        let mark = "Swift runtime failure: "
        return description.hasPrefix(mark) ? String(description.dropFirst(mark.count)) : nil
    }

    /// The address where a frame's function begins.
    ///
    /// The address to which a call returns may be the first one behind the function. So the backtracer looks for the
    /// function of the byte before it, and counts the offset up to that byte. An inlined function has no beginning.
    /// - Parameters:
    ///   - frame: has an address, and tells whether a call returns to it.
    ///   - offset: how far the frame lies in its function, in the backtracer's words.
    /// - Returns: `nil` for an address or an offset that cannot be.
    static func symbolAddress(of frame: Crash.Frame, offset: UInt64) -> UInt64? {
        guard !frame.isInlined, let address = frame.address else { return nil }
        let (lookup, isBelow) = address.subtractingReportingOverflow(frame.isReturnAddress == true ? 1 : 0)
        return !isBelow && offset <= lookup ? lookup - offset : nil
    }

    /// The signal behind the backtracer's description of a crash. Source: `CrashLog` of the backtracer, which has the
    /// words and not the signal.
    static func signal(of description: String, architecture: String?) -> String? {
        // A failed check traps, and the trap is another signal on ARM.
        let isARM = architecture.map { $0.hasPrefix("arm64") || $0 == "aarch64" } ?? false
        if self.failure(in: description) != nil { return isARM ? "SIGTRAP" : "SIGILL" }
        return self.signals[description]
    }

    private static let signals = [
        "Illegal instruction": "SIGILL", "System trap": "SIGTRAP", "Aborted": "SIGABRT", "Bus error": "SIGBUS",
        "Floating point exception": "SIGFPE", "Bad pointer dereference": "SIGSEGV", "Terminated": "SIGQUIT",
    ]
}
