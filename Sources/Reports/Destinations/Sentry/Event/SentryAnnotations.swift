import Diagnosis
import DurableIO

/// The annotations of a report, each in the place that Sentry has for it.
///
/// Sentry drops a whole value that breaks one of its rules, for example a release with a slash. So a value that breaks a
/// rule is made fit, and stands unchanged in `extra` besides. Annotations that can be nothing else stand there alone.
struct SentryAnnotations {
    private(set) var release: String?
    private(set) var environment: String?
    private(set) var distribution: String?
    private(set) var transaction: String?
    private(set) var host: String?
    private(set) var user = JSONObject()
    private(set) var tags: [JSONObject.Member] = []
    private(set) var extra: [JSONObject.Member] = []

    /// - Parameters:
    ///   - annotations: the annotations.
    ///   - program: the name of the program that crashed, for the name of a release.
    ///   - version: the program's version, as the payload tells it.
    init(_ annotations: [String: String], program: String?, version: String?) {
        var rest = annotations
        release = fit(&rest, "release") { Self.releaseName($0) }
        if release == nil, let version = AnnotationKey.version(of: rest) ?? version {
            let program = program ?? AnnotationKey.service(of: rest)
            release = Self.releaseName(program.map { "\($0)@\(version)" } ?? version)
        }
        environment = fit(&rest, "environment") { Self.environmentName($0) }
        distribution = fit(&rest, "dist") { Self.distributionName($0) }
        if distribution == nil { distribution = fit(&rest, "build") { Self.distributionName($0) } }
        transaction = fit(&rest, "transaction") { SentryText.line($0, SentryText.Limit.transaction) }
        host = fit(&rest, "host") { SentryText.line($0, SentryText.Limit.serverName) }
        takeUser(&rest)
        for (key, value) in rest.sorted(by: { $0.key < $1.key }) { place(key, value) }
        extra.sort { $0.key < $1.key }
    }

    /// Takes an annotation in the form that its place has; the unchanged value goes to `extra` if it differs. The key
    /// may be in any case.
    private mutating func fit(
        _ rest: inout [String: String], _ key: String, _ form: (String) -> String?
    ) -> String? {
        let isThere = rest[key] != nil
        let same = isThere ? key : rest.keys.first { $0.utf8.count == key.utf8.count && $0.lowercased() == key }
        guard let same, let value = rest.removeValue(forKey: same) else { return nil }
        let fitting = form(value)
        if fitting != value { keep(same, value) }
        return fitting
    }

    private mutating func keep(_ key: String, _ value: String) {
        guard let text = SentryText.lines(value, SentryText.Limit.message) else { return }
        extra.append(.init(key: key, value: .string(text)))
    }

    private mutating func takeUser(_ rest: inout [String: String]) {
        let names: [(member: String, limit: Int)] = [
            ("id", SentryText.Limit.userName), ("email", SentryText.Limit.userAddress),
            ("username", SentryText.Limit.userName),
        ]
        for (member, limit) in names {
            let value = fit(&rest, "user.\(member)") { SentryText.line($0, limit) }
            user[member] = value.map { .string($0) }
        }
        let address = fit(&rest, "user.ip_address") { NetworkAddress($0[...]) == nil ? nil : $0 }
        user["ip_address"] = address.map { .string($0) }
        if user["id"] == nil, let name = fit(&rest, "user", { SentryText.line($0, SentryText.Limit.userName) }) {
            user["id"] = .string(name)
        }
    }

    /// Makes a tag of an annotation, if it can be one.
    private mutating func place(_ key: String, _ value: String) {
        let isTag =
            (1...SentryText.Limit.tagName).contains(key.utf8.count)
            && key.unicodeScalars.allSatisfy(Self.isOfTagName) && !Self.reservedTags.contains(key)
            && SentryText.line(value, SentryText.Limit.tag) == value
        if isTag { tags.append(.init(key: key, value: .string(value))) } else { keep(key, value) }
    }

    private static func isOfTagName(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
            || "_.:-".unicodeScalars.contains(scalar)
    }

    /// Tags that Sentry drops without a word, for it makes its own of them, and those that each event has.
    private static let reservedTags: Set<String> = [
        "release", "environment", "dist", "user", "filename", "function", "report.kind", "report.format",
    ]

    // MARK: - Forms

    /// At most 200 characters, without slashes.
    private static func releaseName(_ text: String) -> String? {
        let word = SentryText.word(text, SentryText.Limit.release - 1) {
            !$0.isLineBreak && $0 != "\t" && $0 != "/" && $0 != "\\"
        }
        return word.map { [".", "..", "latest"].contains($0.lowercased()) ? "_\($0)" : $0 }
    }

    /// At most 64 characters, without a slash.
    private static func environmentName(_ text: String) -> String? {
        let word = SentryText.word(text, SentryText.Limit.environment - 1) {
            !$0.isLineBreak && $0 != "\t" && $0 != "/"
        }
        return word.map { [".", "..", "none"].contains($0.lowercased()) ? "_\($0)" : $0 }
    }

    /// At most 64 letters and digits of ASCII, `_`, `.` and `-`.
    private static func distributionName(_ text: String) -> String? {
        SentryText.word(text, SentryText.Limit.distribution) { $0 != ":" && isOfTagName($0) }
    }
}
