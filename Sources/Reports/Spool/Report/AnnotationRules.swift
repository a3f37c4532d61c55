package import DurableIO

/// The keys of annotations that mean something to this library.
enum AnnotationKey {
    /// The program that a report is about.
    static let service = "service"
    /// The version of that program.
    static let version = "version"
    /// The user who left a drop, where that is another user than the spool's.
    static let dropUser = "drop.uid"
    /// How many lines of a sidecar were left out.
    static let ignoredLines = "sidecar.ignored"

    /// The program that a report is about; `nil` where no annotation names it. OpenTelemetry's key counts, too.
    static func service(of annotations: [String: String]) -> String? {
        first([service, "service.name"], in: annotations)
    }

    /// The version of that program; `nil` where no annotation names it. OpenTelemetry's and Sentry's keys count, too.
    static func version(of annotations: [String: String]) -> String? {
        first([version, "service.version", "release"], in: annotations)
    }

    /// The value of the first of these keys that has one. The keys of annotations may be in any case.
    static func first(_ keys: [String], in annotations: [String: String]) -> String? {
        for key in keys {
            let value = annotations[key] ?? annotations.first { isSame($0.key, key) }?.value
            if let value, !value.isEmpty { return value }
        }
        return nil
    }

    /// Most keys differ in length, which is cheap to see.
    private static func isSame(_ key: String, _ lowerCased: String) -> Bool {
        key.utf8.count == lowerCased.utf8.count && key.lowercased() == lowerCased
    }
}

/// The annotations that a spool's settings give to each report, and which of them no program can change.
///
/// Annotations of one report come from several sources. A later source counts more than an earlier one: the settings,
/// the drop room, the sidecar, the program's own words. But some values stand above all of them: what the settings fix
/// and what the machine says of itself, and then what a drop room says.
package struct AnnotationRules: Hashable, Sendable {
    /// The annotations that each report gets, by their keys.
    package var values: [String: String]
    /// The keys of ``values`` whose values no other source can change.
    package var fixedKeys: Set<String>
    /// The annotations whose values are facts of the machine, by their keys. No other source can give such a key a
    /// value, not even while the fact is not known.
    package var facts: [String: MachineFact]

    package init(
        values: [String: String] = [:], fixedKeys: Set<String> = [], facts: [String: MachineFact] = [:]
    ) {
        self.values = values
        self.fixedKeys = fixedKeys
        self.facts = facts
    }

    /// The rules with the facts as fixed values. A fact without a value stays among the facts.
    func completed(with value: (MachineFact) -> String?) -> AnnotationRules {
        var rules = self
        for (key, fact) in facts {
            guard let value = value(fact) else { continue }
            rules.facts[key] = nil
            rules.values[key] = value
            rules.fixedKeys.insert(key)
        }
        return rules
    }

    /// All annotations of one spool's settings together, keys and values, in bytes: 16 KiB.
    static let maximumSettingsByteCount = 16 << 10
    static let tooLongWords = "more than \(maximumSettingsByteCount / 1_024) KiB together"

    /// Checks the keys and the values, and the bounds of all together.
    /// - Throws: ``ReportsError`` with `badArgument`, naming the bound.
    func validate() throws(ReportsError) {
        let all = values.merging(facts.mapValues { _ in "" }) { value, _ in value }
        try Annotations.validate(all)
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            guard let problem = Self.problem(of: value) else { continue }
            throw ReportsError(.badArgument, "the annotation \(key) \(problem)")
        }
        let byteCount = all.reduce(facts.count * Annotations.maximumValueByteCount) { count, one in
            count + one.key.utf8.count + one.value.utf8.count
        }
        guard byteCount > Self.maximumSettingsByteCount else { return }
        throw ReportsError(.badArgument, "the annotations of all reports have \(Self.tooLongWords)")
    }

    /// Why a text cannot be the value of an annotation that settings give; `nil` if it can.
    static func problem(of text: String) -> String? {
        if text.utf8.count > Annotations.maximumValueByteCount {
            return "has \(text.utf8.count) bytes: at most \(Annotations.maximumValueByteCount) are kept"
        }
        let hasControl = text.unicodeScalars.contains { $0.properties.generalCategory == .control }
        return hasControl ? "holds control characters: an annotation is one line of text" : nil
    }

    /// Whether no program can give the key a value.
    package func isFixed(_ key: String) -> Bool {
        let key = key.lowercased()
        return fixedKeys.contains { $0.lowercased() == key } || facts.keys.contains { $0.lowercased() == key }
    }

    /// The sources of one report's annotations besides the settings.
    struct Sources {
        /// The user who left the drop, where the spool does not belong to that user.
        var foreignUser: UInt32?
        /// What the name of the drop room says.
        var room: [String: String] = [:]
        var sidecar: [String: String] = [:]
        /// How many lines of the sidecar were left out.
        var ignoredCount = 0
        /// What the program says that has collected the payload, or that describes it in a header.
        var program: [String: String] = [:]
    }

    /// Brings the annotations of all sources together.
    ///
    /// Two keys that differ only in case are one key. The facts have to be among the values: a fact that is not there is
    /// left out. Lines of a sidecar that are left out for want of space count as ignored.
    /// - Parameters:
    ///   - sources: the sources besides the settings.
    ///   - limit: how many bytes of keys and values are kept. The default is 40 KiB.
    /// - Returns: at most 64 annotations, those that count most.
    func merged(with sources: Sources, withinByteCount limit: Int = maximumByteCount) -> [String: String] {
        let user = sources.foreignUser.map { [AnnotationKey.dropUser: "\($0)"] } ?? [:]
        let fixed = values.filter { fixedKeys.contains($0.key) }
        // What the settings fix stands above the room. But the room has its place, however much they fix.
        let room = sources.room.filter { !isFixed($0.key) }
        var merged = Merged(maximumByteCount: limit, excluding: facts.keys)
        for source in [user, room, fixed, sources.program] { _ = merged.add(source) }
        var whole = merged
        if whole.add(sources.sidecar) + sources.ignoredCount == 0 {
            merged = whole
        } else {
            // One place is for the number of lines that are left out.
            let ignoredCount = merged.add(sources.sidecar, leaving: 1) + sources.ignoredCount
            merged.set(AnnotationKey.ignoredLines, "\(ignoredCount)")
        }
        _ = merged.add(values)
        return merged.annotations
    }

    /// Annotations that are brought together: what is added first counts most.
    private struct Merged {
        private(set) var annotations: [String: String] = [:]
        private let maximumByteCount: Int
        private var byteCount = 0
        private var lowerCased: Set<String>

        init(maximumByteCount: Int, excluding keys: some Sequence<String>) {
            self.maximumByteCount = maximumByteCount
            lowerCased = Set(keys.map { $0.lowercased() })
        }

        /// Adds the annotations whose keys are not there yet.
        /// - Parameters:
        ///   - source: the annotations.
        ///   - free: how many places are left to others. The default is 0.
        /// - Returns: how many there was no space for.
        mutating func add(_ source: [String: String], leaving free: Int = 0) -> Int {
            var leftOut = 0
            // Where not all fit, the same ones are kept each time.
            for (key, value) in source.sorted(by: { $0.key < $1.key }) where !lowerCased.contains(key.lowercased()) {
                let size = key.utf8.count + value.utf8.count
                if annotations.count + free < Annotations.maximumCount, byteCount + size <= maximumByteCount {
                    set(key, value)
                } else {
                    leftOut += 1
                }
            }
            return leftOut
        }

        /// Sets one annotation, whatever the bounds. No later source changes it.
        mutating func set(_ key: String, _ value: String) {
            lowerCased.insert(key.lowercased())
            annotations[key] = value
            byteCount += key.utf8.count + value.utf8.count
        }
    }

    /// How many bytes of keys and values are kept. With these, the description of a report nearly always fits into its
    /// file's header.
    private static let maximumByteCount = 40 << 10
}
