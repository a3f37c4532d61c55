/// Those fields of a journal entry that tell of a crash.
struct JournalEntry {
    /// The names of the fields that are kept, but for those of core dumps.
    private static let names: Set<String> = [
        "__REALTIME_TIMESTAMP", "MESSAGE", "_PID", "SYSLOG_PID", "SYSLOG_IDENTIFIER", "_COMM", "_SYSTEMD_UNIT",
        "_TRANSPORT",
    ]
    private static let coreDumpNames: Set<String> = [
        "COREDUMP_PID", "COREDUMP_COMM", "COREDUMP_EXE", "COREDUMP_SIGNAL", "COREDUMP_SIGNAL_NAME",
        "COREDUMP_TIMESTAMP", "COREDUMP_PACKAGE_JSON",
    ]

    private var fields: [String: ArraySlice<UInt8>] = [:]

    /// Whether the entry needs a field.
    static func keeps(_ name: ArraySlice<UInt8>) -> Bool {
        guard let first = name.first, name.count <= 24 else { return false }
        // Most fields are of no interest here, and their first characters tell.
        switch first {
        case UInt8(ascii: "C"): return self.coreDumpNames.contains(name.text)
        case UInt8(ascii: "_"), UInt8(ascii: "M"), UInt8(ascii: "S"): return self.names.contains(name.text)
        default: return false
        }
    }

    /// Adds a field. Of a field that an entry has several times the first one counts.
    mutating func add(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) {
        guard Self.keeps(name), self.fields[name.text] == nil else { return }
        self.fields[name.text] = value
    }

    var isEmpty: Bool { self.fields.isEmpty }

    func bytes(_ name: String) -> ArraySlice<UInt8>? { self.fields[name] }

    func text(_ name: String) -> String? { self.fields[name]?.text.nonEmpty }

    func number(_ name: String) -> Int64? { self.fields[name]?.decimalNumber }

    /// Whether the entry is that of a core dump.
    var isOfCoreDump: Bool { self.fields["COREDUMP_PID"] != nil || self.fields["COREDUMP_SIGNAL"] != nil }

    /// The process that wrote the message.
    var origin: LineOrigin {
        let name = self.text("SYSLOG_IDENTIFIER") ?? self.text("_COMM") ?? self.text("_SYSTEMD_UNIT")
        let isKernel = name == "kernel"
        return LineOrigin(
            name: name ?? (self.text("_TRANSPORT") == "kernel" ? "kernel" : "journal"),
            process: isKernel ? nil : self.number("_PID") ?? self.number("SYSLOG_PID"))
    }

    // MARK: - The core dump

    /// The crash that an entry of a core dump tells of.
    var crash: Crash {
        let signal =
            self.text("COREDUMP_SIGNAL_NAME")
            ?? self.number("COREDUMP_SIGNAL").map { SignalName.linux(Int(clamping: $0)) }
        let path = self.text("COREDUMP_EXE")
        var crash = Crash(
            program: path?.lastPathComponent.nonEmpty ?? self.text("COREDUMP_COMM"),
            process: self.number("COREDUMP_PID"),
            cause: Crash.Cause(type: signal ?? "core dump", signal: signal))
        let details = self.bytes("MESSAGE").map { CoreDumpMessage(TextLines($0)) }
        crash.threads = details?.threads ?? []
        crash.images = details?.images ?? []
        crash.system = Crash.System(name: "Linux", architecture: details?.architecture)
        crash.occurredAt = (self.number("COREDUMP_TIMESTAMP") ?? self.number("__REALTIME_TIMESTAMP")).map { $0 / 1_000 }
        self.addPackages(to: &crash, path: path)
        return crash
    }

    /// What the binaries' notes tell of their packages:
    /// `{"elfType":"coredump","elfArchitecture":"AMD x86-64","/srv/bin/billing":{"name":…,"version":…,"buildId":…}}`.
    private func addPackages(to crash: inout Crash, path: String?) {
        guard let text = self.bytes("COREDUMP_PACKAGE_JSON"),
            let members = JSONValue.parsePrefix(text).value?.objectValue?.members
        else { return }
        for member in members {
            if member.key == "elfArchitecture", let name = member.value.stringValue {
                crash.system.architecture = CoreDumpMessage.architecture(name)
            }
            guard let object = member.value.objectValue else { continue }
            if let build = object.text("buildId"), crash.images.count < Crash.Bounds.imageCount {
                crash.images.append(Crash.Image(path: member.key, buildID: build))
            }
            if member.key == path || path != nil && member.key == path?.lastPathComponent {
                crash.version = object.text("version")
            }
        }
    }
}
