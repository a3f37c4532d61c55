import Diagnosis

/// What Sentry has to be told of the format that a crash is written in, and what the crash does not tell by itself.
///
/// Crashes of all formats are mapped by the same rules. The tables here are all in which formats differ, so that a new
/// format gives a good event without being named here.
struct SentryFormat {
    /// The format's name without ` (damaged)`.
    let name: String
    /// The language or system in Sentry's words. It decides how Sentry shows frames, and whether it looks for symbols.
    let platform: String
    /// What noticed the crash, where that is neither a signal handler nor told by the format's name.
    let mechanism: String?

    /// - Parameters:
    ///   - name: the format's name; of a compressed payload that of its content.
    ///   - crash: the crash in it.
    init(_ name: String, of crash: Crash?) {
        self.name = name.split(separator: " ").first.map(String.init) ?? name
        let family = self.name.split(separator: "-").first.map(String.init) ?? self.name
        let known = Self.platforms[self.name] ?? Self.platforms[family]
        platform = crash == nil ? "other" : known ?? Self.platform(ofRuntime: crash?.runtime?.name)
        mechanism = Self.mechanisms[self.name] ?? Self.mechanisms[family]
    }

    /// How a frame names where its function is.
    enum Naming {
        /// The file of machine code.
        case package
        /// A class, behind whose name the function stands: `com.shop.Ledger.post`.
        case classBeforeFunction
        /// A package, behind whose name the function stands: `main.(*hub).publish`.
        case packageBeforeFunction
        /// A module, which is not part of the function's name.
        case module
    }

    var naming: Naming {
        switch platform {
        case "native", "cocoa": .package
        case "java", "csharp": .classBeforeFunction
        case "go": .packageBeforeFunction
        default: .module
        }
    }

    /// Whether exceptions are classes with their module before the name: `rates.RateError`.
    var hasModulesOfExceptions: Bool { platform == "python" || platform == "java" }

    /// Whether a finding in a program that goes on is an error of the program, and no measurement.
    var findsErrors: Bool {
        ["sanitizer", "valgrind-xml", "valgrind-text", "libfuzzer", "go-race"].contains(name)
            || ["python", "ruby", "java", "php", "csharp", "node", "javascript", "go"].contains(platform)
    }

    /// Whether it is a dump of memory, from which a stack comes only on a machine with symbols.
    var isMemoryDump: Bool {
        ["elf-core", "macho-core", "coredump-text"].contains(name) || name.hasPrefix("journal")
    }

    // MARK: - Tables

    /// By the format's name, or by what stands before its first `-`. Sentry knows no word for Swift and Rust, and takes
    /// no word that it does not know.
    private static let platforms: [String: String] = [
        "swift": "native", "rust": "native", "zig": "native", "nim": "native", "d": "native", "ada": "native",
        "crystal": "native", "ocaml": "native", "kotlin": "native", "haskell": "haskell",
        "sanitizer": "native", "libfuzzer": "native", "valgrind": "native", "libc": "native", "cpp": "native",
        "assertion": "native", "fatal": "native", "signal": "native", "gdb": "native", "lldb": "native",
        "llvm": "native", "gcc": "native", "elf": "native", "minidump": "native", "macho": "native",
        "kernel": "native", "vmcore": "native", "windows": "native", "coredump": "native",
        "python": "python", "ruby": "ruby", "php": "php", "perl": "perl", "go": "go", "node": "node",
        "deno": "javascript", "bun": "javascript", "dotnet": "csharp", "erlang": "elixir", "elixir": "elixir",
        "lua": "other", "julia": "other", "dart": "other",
        "jvm": "java", "jvm-hs-err": "native", "jvm-openj9": "native", "jvm-javacore": "native",
        "jvm-native-image": "native", "android": "java", "android-tombstone": "native",
        "android-tombstone-proto": "native",
        "apple": "cocoa", "metrickit": "cocoa", "kscrash": "cocoa", "plcrash": "cocoa",
    ]

    private static let mechanisms: [String: String] = [
        "python-traceback": "excepthook", "go-panic": "panic", "rust-panic": "panic", "zig-panic": "panic",
        "node-uncaught": "onuncaughtexception", "node-report": "onuncaughtexception", "elf-core": "elf-core",
        "coredump-text": "systemd-coredump", "journal": "systemd-coredump", "apple-ips": "mach", "apple-crash": "mach",
        "kscrash": "mach", "plcrash": "mach", "metrickit": "metrickit", "valgrind": "valgrind",
    ]

    /// By the language's runtime, where payloads of many languages have the same format.
    private static func platform(ofRuntime name: String?) -> String {
        guard let name else { return "native" }
        return runtimes.first { name.contains($0.runtime) }?.platform ?? "native"
    }

    private static let runtimes: [(runtime: String, platform: String)] = [
        ("Python", "python"), ("Ruby", "ruby"), ("ruby", "ruby"), ("PHP", "php"), ("Perl", "perl"),
        ("Node.js", "node"), ("node", "node"), ("OpenJDK", "java"), ("Java", "java"), (".NET", "csharp"),
        ("Erlang", "elixir"), ("Go", "go"),
    ]
}
