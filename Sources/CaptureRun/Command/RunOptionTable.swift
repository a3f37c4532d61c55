import DurableIO

/// The options of `reports-run` by their names, and what each of them sets.
enum RunOptionTable {
    typealias Misuse = RunCommandLine.Misuse

    static let flags: [String: @Sendable (inout RunOptions) -> Void] = [
        "--java": { $0.isForJava = true },
        "--sanitizers": { $0.isForSanitizers = true },
        "--go": { $0.isForGo = true },
        "--core": { $0.raisesCoreLimit = true },
        "--orphan": { $0.leavesOrphan = true },
        "--quiet": { $0.isQuiet = true },
    ]

    static let values: [String: @Sendable (String, inout RunOptions) throws(Misuse) -> Void] = [
        "--spool": { value, options throws(Misuse) in
            guard !value.isEmpty else { throw Misuse("--spool needs a directory") }
            options.spool = value
        },
        "--name": { value, options throws(Misuse) in options.name = try annotation(value, of: "--name") },
        "--release": { value, options throws(Misuse) in options.release = try annotation(value, of: "--release") },
        "--annotate": { value, options throws(Misuse) in try annotate(value, &options) },
        "--annotate-env": { value, options throws(Misuse) in
            try checkKey(value, of: "--annotate-env")
            if !options.annotatedVariables.contains(value) { options.annotatedVariables.append(value) }
            try checkCount(options)
        },
        "--on": { value, options throws(Misuse) in options.occasions = try occasions(value) },
        "--stderr": { value, options throws(Misuse) in
            options.stderr = try choice(RunOptions.StderrMode.self, value, of: "--stderr")
        },
        "--keep": { value, options throws(Misuse) in
            guard let count = ByteSize.count(value), count <= RunOptions.maximumKeptByteCount else {
                throw Misuse("--keep \(quoted(value)): give bytes, or a number with KiB or MiB, of 16 MiB at most")
            }
            options.keptByteCount = Int(count)
        },
        "--env": { value, options throws(Misuse) in try environment(value, &options.environment) },
        "--argv": { value, options throws(Misuse) in
            guard let isFull = ["program": false, "full": true][value] else {
                throw Misuse("--argv \(quoted(value)): give program or full")
            }
            options.tellsArguments = isFull
        },
        "--submit": { value, options throws(Misuse) in
            guard let seconds = Double(value), seconds > 0, seconds <= 3_600 else {
                throw Misuse("--submit \(quoted(value)): give seconds, of 3600 at most")
            }
            options.submitSeconds = seconds
        },
    ]

    private static func quoted(_ text: String) -> String { "'\(QuotedText(text, limit: 60))'" }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ type: Choice.Type, _ value: String, of option: String
    ) throws(Misuse) -> Choice {
        guard let choice = Choice(rawValue: value) else {
            throw unknown(value, of: option, known: Choice.allCases.map(\.rawValue))
        }
        return choice
    }

    private static func unknown(_ value: String, of option: String, known: [String]) -> Misuse {
        Misuse("\(option) \(quoted(value)): give one of \(known.joined(separator: ", "))")
    }

    private static func occasions(_ value: String) throws(Misuse) -> RunOptions.Occasions {
        var occasions: RunOptions.Occasions = []
        for word in value.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
            guard let occasion = RunOptions.Occasions(name: word) else {
                throw unknown(word, of: "--on", known: RunOptions.Occasions.named.map(\.name))
            }
            occasions.insert(occasion)
        }
        return occasions
    }

    /// `default`, `none`, or names with a sign. Several of the option add up.
    private static func environment(
        _ value: String, _ environment: inout RunOptions.Environment
    ) throws(Misuse) {
        for word in value.split(separator: ",", omittingEmptySubsequences: false) {
            let name = String(word.dropFirst())
            switch word.first {
            case _ where word == "default": environment.setsDefaults = true
            case _ where word == "none": environment.setsDefaults = false
            case "+" where isVariable(name):
                environment.added.insert(name)
                environment.removed.remove(name)
            case "-" where isVariable(name):
                environment.removed.insert(name)
                environment.added.remove(name)
            default:
                throw Misuse("--env \(quoted(value)): give default, none, or +NAME and -NAME with commas between")
            }
        }
    }

    private static func isVariable(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "=") && $0 != 0x7f }
    }

    // MARK: - Annotations

    private static let maximumCount = 64
    private static let maximumKeyByteCount = 64
    private static let maximumValueByteCount = 1 << 10

    private static func annotate(_ value: String, _ options: inout RunOptions) throws(Misuse) {
        guard let equals = value.firstIndex(of: "=") else {
            throw Misuse("--annotate \(quoted(value)): give KEY=VALUE")
        }
        let key = String(value[..<equals])
        try checkKey(key, of: "--annotate")
        options.annotations[key] = try annotation(
            String(value[value.index(after: equals)...]), of: "the annotation \(key)")
        try checkCount(options)
    }

    private static func checkCount(_ options: RunOptions) throws(Misuse) {
        guard options.annotations.count + options.annotatedVariables.count > maximumCount else { return }
        throw Misuse("there are more than \(maximumCount) annotations")
    }

    private static func checkKey(_ key: String, of option: String) throws(Misuse) {
        let isKnown = key.utf8.allSatisfy { $0.isASCIIAlphanumeric || [0x2e, 0x5f, 0x2d].contains($0) }
        guard !key.isEmpty, key.utf8.count <= maximumKeyByteCount, isKnown else {
            throw Misuse(
                "\(option) \(quoted(key)): a key is 1 to \(maximumKeyByteCount) of A-Z, a-z, 0-9, '.', '_' and '-'")
        }
        guard !isOfIncident(key) else {
            throw Misuse("\(option) \(quoted(key)): this key says how the program ended; choose another")
        }
    }

    /// Whether the incident itself says what the annotation of this key is.
    private static func isOfIncident(_ key: String) -> Bool {
        key == "incident" || key.hasPrefix("run.") || key.hasPrefix("drop.")
    }

    private static func annotation(_ value: String, of what: String) throws(Misuse) -> String {
        guard value.utf8.count <= maximumValueByteCount else {
            throw Misuse("\(what): \(value.utf8.count) bytes; at most \(maximumValueByteCount) are kept")
        }
        return value
    }
}
