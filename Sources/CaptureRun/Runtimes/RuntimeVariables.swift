/// The variables that make the runtimes of programs leave reports of their crashes in a directory.
///
/// The default ones change nothing of a program that does not crash: neither its output nor its status. A variable that
/// the program has already is kept, and gets only what it lacks. The text that a variable's own rules cannot hold is
/// left out with it: a directory with a comma has no place in `SWIFT_BACKTRACE`.
package enum RuntimeVariables {
    /// - Parameters:
    ///   - inherited: the variables that the program would have, `NAME=VALUE`; each name may occur several times.
    ///   - others: those that nobody can change, because they are no texts; none by default.
    ///   - directory: where the reports go.
    ///   - options: which of them are set.
    /// - Returns: the variables that the program gets besides those others.
    package static func applied(
        to inherited: [String], besides others: [String] = [], directory: String, _ options: RunOptions
    ) -> [String] {
        let before = VariableList(inherited + others)
        let fixed = VariableList(others)
        var list = VariableList(inherited)
        for variable in RuntimeVariable.all where variable.isSet(options) && fixed[variable.name] == nil {
            // What is set before decides, so that no variable depends on the order of the table.
            if let value = variable.value(before, directory) { list.set(variable.name, value) }
        }
        return list.entries
    }

    /// `SWIFT_BACKTRACE` with which a Swift program leaves its crashes in a directory.
    /// - Parameters:
    ///   - old: its value so far.
    ///   - directory: an absolute path.
    /// - Returns: `nil` where the value is to stay: it says `enable=no`, or names another place.
    package static func swiftBacktrace(_ old: String?, directory: String) -> String? {
        RuntimeVariable.swiftBacktrace(old, directory, enabling: "yes")
    }

    /// Where a value of `SWIFT_BACKTRACE` has crashes written to; `nil` where it names no place.
    package static func outputDirectory(inSwiftBacktrace value: String) -> String? {
        value.split(separator: ",").last { $0.lowercased().hasPrefix("output-to=") }
            .map { String($0.dropFirst("output-to=".count)) }
    }

    /// The names of the variables that name the directory, or are of use only together with one that does.
    package static var namesThatNeedDirectory: Set<String> {
        let others: Set = [
            "PYTHONFAULTHANDLER", "RUST_BACKTRACE", "RUST_LIB_BACKTRACE", "OCAMLRUNPARAM", "GOTRACEBACK",
        ]
        return Set(names).subtracting(others)
    }

    /// The names of all variables that can be set, in the order of the table.
    package static var names: [String] { RuntimeVariable.all.map(\.name) }
}

/// A variable of a runtime, and what it is set to.
struct RuntimeVariable: Sendable {
    /// When it is set without being asked for by its name.
    enum Occasion: Sendable {
        case always
        case java
        case sanitizers
        case go
    }

    let name: String
    let occasion: Occasion
    /// - Returns: the new value; `nil` where the variable is left as it is.
    let value: @Sendable (_ list: VariableList, _ directory: String) -> String?

    func isSet(_ options: RunOptions) -> Bool {
        let environment = options.environment
        if environment.removed.contains(name) { return false }
        if environment.added.contains(name) { return true }
        switch occasion {
        case .always: return environment.setsDefaults
        case .java: return options.isForJava
        case .sanitizers: return options.isForSanitizers
        case .go: return options.isForGo
        }
    }

    static let all: [RuntimeVariable] =
        [
            // `tty` is `yes` where crashes go to a file, but for a program without the helper that writes them: a static
            // one would complain at each start.
            RuntimeVariable("SWIFT_BACKTRACE") { swiftBacktrace($0["SWIFT_BACKTRACE"], $1, enabling: "tty") },
            RuntimeVariable("NODE_OPTIONS") { NodeOptions.value($0["NODE_OPTIONS"], $1) },
            RuntimeVariable("PYTHONFAULTHANDLER", whenUnset: "1"),
            // The second one keeps errors that carry a stack from becoming a thousand times slower.
            RuntimeVariable("RUST_BACKTRACE") { list, _ in hasRust(list) ? nil : "1" },
            RuntimeVariable("RUST_LIB_BACKTRACE") { list, _ in hasRust(list) ? nil : "0" },
            // Without the name, the others would have .NET write to a place where nobody looks.
            RuntimeVariable("DOTNET_DbgEnableMiniDump") { keepsDotNet($0, $1) ? nil : "1" },
            RuntimeVariable("DOTNET_EnableCrashReportOnly") { keepsDotNet($0, $1) ? nil : "1" },
            // Without it, createdump writes four lines to the program's standard output.
            RuntimeVariable("DOTNET_CreateDumpLogToFile") { list, directory in
                keepsDotNet(list, directory) || hasDotNet(list, "CreateDumpLogToFile") ? nil : "/dev/null"
            },
            RuntimeVariable("DOTNET_DbgMiniDumpName") { keepsDotNet($0, $1) ? nil : "\($1)/%e.%p" },
            RuntimeVariable("ERL_CRASH_DUMP") { list, directory in
                list["ERL_CRASH_DUMP"] == nil ? "\(directory)/erl_crash.dump" : nil
            },
            // A dump that goes where somebody wants it is written for as long as it takes.
            RuntimeVariable("ERL_CRASH_DUMP_SECONDS") { list, _ in
                list["ERL_CRASH_DUMP_SECONDS"] == nil && list["ERL_CRASH_DUMP"] == nil ? "10" : nil
            },
            RuntimeVariable("RUBY_CRASH_REPORT") { list, directory in
                list["RUBY_CRASH_REPORT"] == nil && !directory.contains("%") ? "\(directory)/ruby.%p.log" : nil
            },
            // OCaml reads the older name only where the newer one is not set.
            RuntimeVariable("OCAMLRUNPARAM") { list, _ in
                list["OCAMLRUNPARAM"] == nil && list["CAMLRUNPARAM"] == nil ? "b" : nil
            },
            RuntimeVariable("JAVA_TOOL_OPTIONS", .java) { javaOptions($0["JAVA_TOOL_OPTIONS"], $1) },
            RuntimeVariable("GOTRACEBACK", .go, whenUnset: "all"),
        ]
        + ["ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"].map { name in
            RuntimeVariable(name, .sanitizers) { sanitizerOptions(name, $0[name], $1) }
        }

    private init(
        _ name: String, _ occasion: Occasion = .always, _ value: @escaping @Sendable (VariableList, String) -> String?
    ) {
        self.name = name
        self.occasion = occasion
        self.value = value
    }

    private init(_ name: String, _ occasion: Occasion = .always, whenUnset value: String) {
        self.init(name, occasion) { list, _ in list[name] == nil ? value : nil }
    }
}

// MARK: - Values

extension RuntimeVariable {
    /// `enable=no` and an `output-to` are the user's word. Of the other keys the user's stay. Their case does not matter.
    static func swiftBacktrace(_ old: String?, _ directory: String, enabling: String) -> String? {
        guard !directory.contains(",") else { return nil }
        var parts = (old ?? "").split(separator: ",").map(String.init)
        func value(of key: String) -> String? {
            parts.last { $0.lowercased().hasPrefix("\(key)=") }.map { String($0.dropFirst(key.count + 1)) }
        }
        if let isOn = value(of: "enable"), ["no", "off", "false", "0"].contains(isOn.lowercased()) { return nil }
        guard value(of: "output-to") == nil else { return nil }
        let wanted = [
            ("enable", enabling), ("format", "json"), ("output-to", directory), ("sanitize", "yes"),
            ("interactive", "no"), ("color", "no"),
        ]
        for (key, setting) in wanted where value(of: key) == nil { parts.append("\(key)=\(setting)") }
        return parts.concatenated(by: ",")
    }

    private static func javaOptions(_ old: String?, _ directory: String) -> String? {
        guard old?.contains("-XX:ErrorFile=") != true, !directory.contains("\""), !directory.contains("%") else {
            return nil
        }
        let option = "-XX:ErrorFile=\(directory)/hs_err_pid%p.log"
        let word = directory.contains(where: \.isWhitespace) ? "\"\(option)\"" : option
        return [old, word].compactMap { $0?.isEmpty == false ? $0 : nil }.joined(separator: " ")
    }

    private static func sanitizerOptions(_ name: String, _ old: String?, _ directory: String) -> String? {
        guard old?.contains("log_path=") != true, !directory.contains(where: { " :,\"'\t\n".contains($0) }) else {
            return nil
        }
        let prefix = name.prefix { $0 != "_" }.lowercased()
        let place = "log_path=\(directory)/\(prefix)"
        let setting = old?.contains("log_exe_name=") == true ? place : "\(place):log_exe_name=1"
        return [old, setting].compactMap { $0?.isEmpty == false ? $0 : nil }.joined(separator: ":")
    }

    private static func hasRust(_ list: VariableList) -> Bool {
        list["RUST_BACKTRACE"] != nil || list["RUST_LIB_BACKTRACE"] != nil
    }

    /// Whether the variables of .NET stay as they are. Its patterns of names know no quoted `%`.
    private static func keepsDotNet(_ list: VariableList, _ directory: String) -> Bool {
        hasDotNet(list) || directory.contains("%")
    }

    /// Who has asked .NET for dumps has asked for their place as well.
    private static func hasDotNet(_ list: VariableList) -> Bool {
        ["DbgEnableMiniDump", "DbgMiniDumpName", "EnableCrashReport", "EnableCrashReportOnly"]
            .contains { hasDotNet(list, $0) }
    }

    private static func hasDotNet(_ list: VariableList, _ name: String) -> Bool {
        list["DOTNET_\(name)"] != nil || list["COMPlus_\(name)"] != nil
    }
}
