/// How much a payload looks like a crash before all of it is read.
package enum CrashLikeness: UInt8, Comparable, Sendable {
    /// Nothing speaks for a crash.
    case none
    /// The name is one that crashes have.
    case named
    /// The first bytes are those of a crash.
    case begun

    package static func < (left: CrashLikeness, right: CrashLikeness) -> Bool { left.rawValue < right.rawValue }

    /// How much of the beginning is looked at, in bytes: 1 KiB.
    package static let glimpseByteCount = 1 << 10

    /// What a name alone says.
    /// - Parameter name: the dropped file's name: any bytes.
    package init(name: [UInt8]) {
        self = PayloadName(name).isOfCrash ? .named : .none
    }

    /// Tells how much a payload looks like a crash, from its first KiB and its name.
    ///
    /// A payload whose kind the whole window will tell may be cut before the member or line that tells it. Then a
    /// beginning counts that no other payload is likely to have.
    ///
    /// - Parameters:
    ///   - head: the first ``glimpseByteCount`` bytes of the payload, or all of a smaller one.
    ///   - isWhole: whether `head` is the entire payload.
    ///   - name: the dropped file's name; may be empty, and any bytes.
    ///   - inflate: inflates what is in a gzip file.
    package init(head: ArraySlice<UInt8>, isWhole: Bool, name: [UInt8], inflate: Diagnosis.Inflate) {
        var content = head
        let window = PayloadWindow(head: head, byteCount: head.count + (isWhole ? 0 : 1), name: name)
        let diagnosis = Diagnosis.recognize(window) { compressed, limit in
            let inflated = inflate(compressed, limit)
            content = (inflated ?? [])[...]
            return inflated
        }
        if diagnosis.kind == .crash {
            self = .begun
        } else if isWhole, !diagnosis.isAssumed {
            // A short payload that is known to be something else may have any name.
            self = .none
        } else if !isWhole, CrashOpening.matches(content) {
            self = .begun
        } else {
            self.init(name: name)
        }
    }
}

/// Beginnings of crash reports that are cut before what makes them recognisable.
private enum CrashOpening {
    private static let titles = ["panic: ", "fatal error: "]
    /// Who writes the journal's entries about core dumps.
    private static let coreDumper = "systemd-coredump"
    /// Members of the outermost object; of a crash, whatever else is in it.
    private static let members: Set<String> = ["bug_type", "binary_images", "crashDiagnostics"]
    private static let nodeMembers: Set<String> = ["reportVersion", "nodejsVersion"]

    static func matches(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first(where: { $0 > 0x20 }) else { return false }
        guard first == UInt8(ascii: "{") else {
            let title = bytes.drop { $0 <= 0x20 }
            if title.starts(with: "__CURSOR=".utf8) { return bytes.contains(self.coreDumper) }
            return self.titles.contains { title.starts(with: $0.utf8) }
        }
        let outline = JSONValue.outlinePrefix(Array(bytes)).value?.objectValue?.members ?? []
        if outline.contains(where: { self.members.contains($0.key) }) { return true }
        if outline.contains(where: { $0.key == "SYSLOG_IDENTIFIER" && $0.value.stringValue == self.coreDumper }) {
            return true
        }
        guard outline.contains(where: { $0.key == "header" }) else { return false }
        let header = JSONValue.parsePrefix(bytes).value?.objectValue?["header"]?.objectValue?.members ?? []
        return header.contains { self.nodeMembers.contains($0.key) }
    }
}
