/// Whose machine code it is, by the path of the file that holds it.
enum NativeCode {
    /// Libraries that programs bring along.
    private static let runtimePrefixes = [
        "libswift", "libFoundation", "lib_Foundation", "libdispatch.", "libBlocksRuntime.", "libc.so", "libc.musl",
        "libc-2", "libpthread", "libm.so", "libdl.so", "librt.so", "ld-linux", "ld-musl", "ld.so", "ld64.so", "libc++",
        "libstdc++", "libgcc_s", "libasan", "libubsan", "libtsan", "libclang_rt", "libunwind", "libcoreclr",
        "libclrjit", "libhostfxr", "libhostpolicy", "System.Private.", "libjvm", "libart", "linux-gate", "linux-vdso",
        "[vdso]", "[vsyscall]", "vgpreload_", "dyld",
    ]
    /// In lower case, as Windows compares names.
    private static let windowsRuntimePrefixes = [
        "ntdll", "kernel32", "kernelbase", "ucrtbase", "msvcp", "msvcr", "vcruntime", "concrt", "combase", "user32",
        "win32u", "gdi32", "rpcrt4", "mscoree", "clr.dll", "coreclr", "clrjit", "hostfxr", "hostpolicy", "mscorwks",
        "swift", "foundation.dll", "dispatch.dll",
    ]

    /// Whether it is the program's own code: that of its main file, or of a library that is neither the system's nor a
    /// language's.
    static func isOwn(_ path: String, isMain: Bool) -> Bool {
        isMain || !self.isOfSystem(path)
    }

    /// Whether it is code of the system or of a language's runtime.
    static func isOfSystem(_ path: String) -> Bool {
        if path.isEmpty || SystemDirectories.hold(path) { return true }
        let name = self.fileName(path)
        if self.runtimePrefixes.contains(where: { name.hasPrefix($0) }) { return true }
        guard self.isOfWindows(path) else { return false }
        let lowered = path.lowercased()
        return lowered.contains("\\windows\\") || lowered.hasPrefix("\\systemroot\\")
            || self.windowsRuntimePrefixes.contains { name.lowercased().hasPrefix($0) }
    }

    /// The last component of a path of any system.
    static func fileName(_ path: String) -> String {
        guard self.isOfWindows(path) else { return path.lastPathComponent }
        let bytes = Array(path.utf8)
        let start = bytes.lastIndex { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "/") }.map { $0 + 1 } ?? 0
        return String(decoding: bytes[start...], as: UTF8.self)
    }

    /// Whether the path begins with a drive or another computer's name, or is the bare name of a file of Windows. A
    /// backslash elsewhere is a character of a name.
    private static func isOfWindows(_ path: String) -> Bool {
        let bytes = Array(path.utf8.prefix(3))
        if bytes.first == UInt8(ascii: "\\") { return true }
        if bytes.count > 2, bytes[0].isLetter, bytes[1] == UInt8(ascii: ":") { return true }
        let suffix = String(decoding: path.utf8.suffix(4), as: UTF8.self).lowercased()
        return !path.utf8.contains(UInt8(ascii: "/")) && (suffix == ".dll" || suffix == ".exe")
    }

    /// One frame of machine code.
    /// - Parameters:
    ///   - address: the address of the instruction.
    ///   - image: the file that holds it, if it is known.
    ///   - main: the program's own file.
    /// - Returns: the frame, without a function.
    static func frame(at address: UInt64, in image: Crash.Image?, main: Crash.Image?) -> Crash.Frame {
        guard let image else { return Crash.Frame(address: address, isOwn: false) }
        let isMain = main.map { $0.path == image.path } ?? false
        let (offset, overflow) = address.subtractingReportingOverflow(image.baseAddress ?? 0)
        return Crash.Frame(
            module: self.fileName(image.path), address: address,
            moduleOffset: overflow || image.baseAddress == nil ? nil : offset,
            isOwn: self.isOwn(image.path, isMain: isMain))
    }
}

extension Crash {
    /// Says of the innermost frame of the crashed thread that it is not the program's own code.
    mutating func disownInnermostFrame() {
        guard let index = self.threads.firstIndex(where: \.isCrashed), !self.threads[index].frames.isEmpty else {
            return
        }
        self.threads[index].frames[0].isOwn = false
    }

    /// The crash of a program of machine code in one sentence: the program, the fault with its code and address, and
    /// the innermost place in its own code.
    func nativeSummary(subject: String? = nil) -> String {
        var sentence = self.subject(orElse: subject).map { "\($0): " } ?? ""
        sentence += self.cause.type
        // Numbers, and codes that say who has sent the signal, tell people nothing; nor does the signal that an
        // exception has led to.
        let isOfType = self.cause.message == nil || self.cause.type == self.cause.signal
        if let code = self.cause.code, isOfType, !code.hasPrefix("0x"), !code.hasPrefix("SI_") {
            sentence += " (\(code))"
        }
        if let message = self.cause.message?.split(whereSeparator: \.isNewline).first {
            sentence += ": \(message)"
        } else if let address = self.cause.address, address != self.crashedThread?.frames.first?.address {
            // The address of the instruction itself is what the place tells.
            sentence += " at 0x\(String(address, radix: 16))"
        }
        guard let thread = self.threads.first(where: \.isCrashed) else { return sentence }
        if let place = self.place { return sentence + place.place }
        guard let frame = thread.frames.first(where: \.isOwn), let module = frame.module,
            let offset = frame.moduleOffset
        else { return sentence }
        return sentence + " in \(module)+0x\(String(offset, radix: 16))"
    }
}
