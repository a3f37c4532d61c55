import DurableIO

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
    private static func first(_ keys: [String], in annotations: [String: String]) -> String? {
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

    package init(values: [String: String] = [:], fixedKeys: Set<String> = []) {
        self.values = values
        self.fixedKeys = fixedKeys
    }

    /// The sources of one report's annotations besides the settings.
    struct Sources {
        /// The user who left the drop, where the spool does not belong to that user.
        var foreignUser: UInt32?
        /// What the name of the drop room says.
        var room: [String: String] = [:]
        var sidecar: [String: String] = [:]
        /// What the program says that has collected the payload, or that describes it in a header.
        var program: [String: String] = [:]
    }

    /// Brings the annotations of all sources together.
    ///
    /// Two keys that differ only in case are one key. At most 64 annotations and 40 KiB are kept, those that count most.
    func merged(with sources: Sources) -> [String: String] {
        let user = sources.foreignUser.map { [AnnotationKey.dropUser: "\($0)"] } ?? [:]
        let fixed = values.filter { fixedKeys.contains($0.key) }
        var annotations: [String: String] = [:]
        var lowerCased: Set<String> = []
        var byteCount = 0
        for source in [user, fixed, sources.room, sources.program, sources.sidecar, values] {
            // Where not all fit, the same ones are kept each time.
            for (key, value) in source.sorted(by: { $0.key < $1.key }) {
                let size = key.utf8.count + value.utf8.count
                guard annotations.count < Annotations.maximumCount, byteCount + size <= Self.maximumByteCount,
                    lowerCased.insert(key.lowercased()).inserted
                else { continue }
                annotations[key] = value
                byteCount += size
            }
        }
        return annotations
    }

    /// How many bytes of keys and values are kept. With these, the description of a report nearly always fits into its
    /// file's header.
    private static let maximumByteCount = 40 << 10
}
