package import DurableIO

/// An annotation that the settings give to each report, and where it comes from.
package struct AnnotationSetting: Sendable {
    package enum Value: Hashable, Sendable {
        case text(String)
        case fact(MachineFact)
    }

    package let key: String
    package let value: Value
    /// Whether no program can give the key another value.
    package let isFixed: Bool
    package let source: SettingSource

    /// Checks the value; the key has to be one.
    init(
        _ key: String, _ value: Value, isFixed: Bool, from source: SettingSource, subject: String? = nil
    ) throws(ReportsError) {
        if case .text(let text) = value, let problem = AnnotationRules.problem(of: text) {
            throw ReportsError(source.errorCode, "\(subject ?? source.subject): \(problem)")
        }
        self.key = key
        self.value = value
        self.isFixed = isFixed
        self.source = source
    }

    /// Reads `key=value`, or the name of a fact, whose value then has that name as its key.
    private init(
        line: Substring, from source: SettingSource, subject: String
    ) throws(ReportsError) {
        func problem(_ text: String) -> ReportsError { ReportsError(source.errorCode, "\(subject): \(text)") }
        guard let mark = line.firstIndex(of: "=") else {
            guard let fact = MachineFact(rawValue: String(line)) else {
                throw problem("expected key=value, or a fact: \(MachineFact.advice(for: line))")
            }
            try self.init(fact.rawValue, .fact(fact), isFixed: true, from: source)
            return
        }
        let key = String(line[..<mark])
        guard Annotations.isKey(key) else { throw problem(Annotations.keyProblem(key)) }
        try self.init(
            key, .text(String(line[line.index(after: mark)...])), isFixed: false, from: source, subject: subject)
    }

    /// Reads one a line; empty lines and those that begin with `#` are passed over.
    static func lines(_ bytes: [UInt8], from source: SettingSource) -> [GivenAnnotation] {
        let text: WrittenText
        do {
            text = try WrittenText(bytes, limit: maximumTextByteCount)
        } catch {
            return [.none(ReportsError(source.errorCode, "\(source.subject): \(error)", underlyingError: error))]
        }
        return text.lines.prefix(Annotations.maximumCount + 1).map { line in
            let subject = "\(source.subject): line \(line.number)"
            guard let text = line.text else {
                return .none(ReportsError(source.errorCode, "\(subject): is not UTF-8"))
            }
            let setting = Result { () throws(ReportsError) in
                try AnnotationSetting(line: text, from: source, subject: subject)
            }
            return GivenAnnotation(key: String(text.prefix { $0 != "=" }), subject: subject, setting: setting)
        }
    }

    private static let maximumTextByteCount = 64 << 10
}

/// An annotation as one place gives it, or why it cannot be had.
struct GivenAnnotation {
    let key: String
    /// As errors begin.
    let subject: String
    var setting: Result<AnnotationSetting, ReportsError>

    /// A fault of all that a place says, which gives no annotation.
    static func none(_ error: ReportsError) -> GivenAnnotation {
        GivenAnnotation(key: "", subject: "", setting: .failure(error))
    }

    /// Brings together what several places give, and checks it: the same key twice in one place, and the bounds of all
    /// together. Servers get keys in lower case, so that keys which differ in case only are the same.
    /// - Parameter places: those of each place, the strongest first. An annotation of a stronger place stands instead of
    ///   one with the same key.
    /// - Returns: those that count, and what is wrong with the others.
    static func merged(_ places: [[GivenAnnotation]]) -> [GivenAnnotation] {
        var merged: [GivenAnnotation] = []
        for place in places {
            let stronger = Set(merged.map { $0.key.lowercased() })
            merged += refusingRepetitions(place).filter { $0.key.isEmpty || !stronger.contains($0.key.lowercased()) }
        }
        return refusingSurplus(merged)
    }

    private static func refusingRepetitions(_ given: [GivenAnnotation]) -> [GivenAnnotation] {
        var first: [String: GivenAnnotation] = [:]
        return given.map { one in
            guard let earlier = first.updateValue(one, forKey: one.key.lowercased()), !one.key.isEmpty else {
                return one
            }
            let words =
                earlier.key == one.key
                ? "\(one.key) is given already" : "\(one.key) differs from \(earlier.key) in case only"
            return one.failing("\(words): leave one of them")
        }
    }

    private static func refusingSurplus(_ given: [GivenAnnotation]) -> [GivenAnnotation] {
        var (count, byteCount) = (0, 0)
        return given.compactMap { one in
            guard case .success(let setting) = one.setting else { return one }
            count += 1
            if count > Annotations.maximumCount {
                // Once is enough.
                guard count == Annotations.maximumCount + 1 else { return nil }
                return one.failing("there are more than \(Annotations.maximumCount) annotations: leave some out")
            }
            byteCount += setting.byteCount
            guard byteCount > AnnotationRules.maximumSettingsByteCount else { return one }
            return one.failing("with this one all annotations have \(AnnotationRules.tooLongWords): leave some out")
        }
    }

    private func failing(_ problem: String) -> GivenAnnotation {
        var failed = self
        failed.setting = .failure(ReportsError(.badConfiguration, "\(subject): \(problem)"))
        return failed
    }
}

extension AnnotationSetting {
    /// What it counts for among all. A fact has no more than this, whatever the machine says.
    fileprivate var byteCount: Int {
        switch value {
        case .text(let text): key.utf8.count + text.utf8.count
        case .fact: key.utf8.count + Annotations.maximumValueByteCount
        }
    }
}

extension MachineFact {
    /// What to write instead of a word that is no fact.
    static func advice(for word: some StringProtocol) -> String {
        let known = allCases.map(\.rawValue)
        if let meant = NearestName.of(word, among: known) { return "did you mean \(meant)?" }
        return "facts are \(known.joined(separator: ", "))"
    }
}
