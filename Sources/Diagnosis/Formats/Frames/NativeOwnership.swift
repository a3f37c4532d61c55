/// Tells a native program's own code from the system's libraries and from the machinery of a crash.
///
/// Native stacks mark nothing as the program's own, so names decide: of the library, of the source file, of the
/// function. What none of them gives away is the program's.
enum NativeOwnership {
    /// Whether a frame is the program's own code. What the payload does not tell is `nil`.
    static func isOwn(function: String?, file: String? = nil, module: String? = nil) -> Bool {
        if let module, self.isSystemLibrary(module) { return false }
        if let file, self.isSystemSource(file) { return false }
        if let function { return !self.isSystemFunction(function) }
        return module != nil || file != nil
    }

    /// Whether a path or a name is that of a shared library, with a version behind `.so` or without.
    static func isSharedLibrary(_ module: String) -> Bool {
        let name = Array(module.lastPathComponent.utf8)[...]
        return name.droppingSuffix(".so") != nil || name.contains(".so.") || name.droppingSuffix(".dylib") != nil
            || module == "linux-vdso" || module == "[vdso]"
    }

    /// Whether a module may be the program's own file: no library, and no memory without a file, such as `[stack]`.
    static func mayBeProgram(_ module: String) -> Bool {
        !self.isSharedLibrary(module) && !module.hasPrefix("[")
    }

    // MARK: - Libraries

    /// Libraries that stacks name without their directory.
    private static let systemLibraries = [
        "libc.so", "libc-", "libpthread", "libm.so", "libm-", "libdl", "librt", "ld-linux", "ld-musl", "ld-2",
        "linux-vdso", "libstdc++", "libc++", "libgcc_s", "libunwind", "libasan", "libtsan", "libubsan", "liblsan",
        "libclang_rt", "libglib-2", "libgobject-2", "libgio-2",
    ]

    private static func isSystemLibrary(_ module: String) -> Bool {
        guard self.isSharedLibrary(module) else { return false }
        if SystemDirectories.hold(module) { return true }
        let name = module.lastPathComponent
        return name == "[vdso]" || self.systemLibraries.contains { name.hasPrefix($0) }
    }

    // MARK: - Source files

    /// Where the C library, the compilers' run-time libraries and packages that were fetched have their sources.
    private static let systemSources = [
        "/sysdeps/", "/csu/", "/compiler-rt/lib/", "/libsanitizer/", "/libstdc++-v3/", "/libcxx/", "/libcxxabi/",
        "/rustc/", "/.cargo/registry/", "/glibc", "/nptl/",
    ]

    private static let systemSourceDirectories = [
        "/usr/include/", "/usr/lib/", "/usr/src/", "../sysdeps/", "../csu/", "csu/", "nptl/", "./nptl/", "./csu/",
        "./stdlib/abort.c", "./assert/assert.c", "./malloc/malloc.c", "sysdeps/", "signal/../",
        "stdlib/abort.c", "stdlib/exit.c", "posix/../", "time/../", "misc/../", "io/../",
    ]

    private static func isSystemSource(_ file: String) -> Bool {
        if self.systemSourceDirectories.contains(where: file.hasPrefix) { return true }
        let bytes = Array(file.utf8)[...]
        return self.systemSources.contains { bytes.contains($0) }
    }

    // MARK: - Functions

    private static let machinery: Set<String> = [
        "_start", "abort", "raise", "gsignal", "kill", "tgkill", "killpg", "start_thread", "clone", "clone3",
        "pthread_kill", "malloc", "calloc", "realloc", "reallocarray", "free", "memcpy", "memmove", "memset", "memcmp",
        "strlen", "strcpy", "strncpy", "strcmp", "strcat", "strdup", "malloc_printerr", "munmap_chunk", "unlink_chunk",
        "_int_free", "_int_malloc", "sysmalloc", "funlockfile", "thread_start", "exit", "_exit", "backtrace",
        "poll", "epoll_wait",
    ]

    private static let prefixes = [
        "operator new", "operator delete", "std::", "void std::", "fuzzer::", "_dl_", "_IO_", "GI_", "_dispatch_",
        "google::LogMessage", "google::logging", "google::(anonymous", "google::CheckOp", "absl::", "base::debug::",
        "logging::LogMessage", "logging::CheckError", "testing::", "boost::stacktrace", "backward::",
        "llvm::sys::PrintStackTrace",
        "llvm::sys::RunSignalHandlers", "llvm::sys::CleanupOnSignal", "SignalHandler(", "llvm::report_fatal_error",
        "llvm::llvm_unreachable", "g_log", "g_assertion_message", "g_abort", "qt_message", "qAbort", "qt_assert",
        "QMessageLogger::", "pthread_",
    ]

    private static func isSystemFunction(_ function: String) -> Bool {
        let name = function.prefix { $0 != "(" && $0 != "@" }
        if self.machinery.contains(String(name)) { return true }
        // Two underscores are reserved to the C library and the compiler; but compilers put them before their own names
        // for the program's blocks.
        if function.hasPrefix("__"), !Array(function.utf8)[...].contains("_block_invoke") { return true }
        return self.prefixes.contains(where: function.hasPrefix)
    }
}
