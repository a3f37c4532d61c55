import Background
import DurableIO
import SystemPackage

/// How a kind of setting is written: its text read into a typed value, and such a value written as text.
struct SettingForm<Value: Sendable>: Sendable {
    /// What a text has to be, for people.
    let expectation: String
    /// All texts that there are; empty when they cannot be counted.
    var choices: [String] = []
    var isNumber = false
    var isPath = false
    let read: @Sendable (String) throws(SettingProblem) -> Value
    /// `nil` for a value that nobody can write, as the absence of one.
    let text: @Sendable (Value) -> String?
    /// The value for people, where that is not its text.
    let words: @Sendable (Value) -> String?

    init(
        _ expectation: String, read: @escaping @Sendable (String) throws(SettingProblem) -> Value,
        text: @escaping @Sendable (Value) -> String?, words: (@Sendable (Value) -> String?)? = nil
    ) {
        self.expectation = expectation
        self.read = read
        self.text = text
        self.words = words ?? text
    }

    /// A form of which nothing is to be said but what is expected.
    init(
        _ expectation: String, parse: @escaping @Sendable (String) -> Value?,
        text: @escaping @Sendable (Value) -> String?, words: (@Sendable (Value) -> String?)? = nil
    ) {
        self.init(
            expectation,
            read: { text throws(SettingProblem) in
                guard let value = parse(text) else { throw .form }
                return value
            }, text: text, words: words)
    }

    /// A form for a value that is absent until somebody sets it.
    static func optional<Wrapped>(_ form: SettingForm<Wrapped>) -> SettingForm where Value == Wrapped? {
        var optional = SettingForm(
            form.expectation, read: { text throws(SettingProblem) in try form.read(text) },
            text: { $0.flatMap(form.text) }, words: { $0.flatMap(form.words) })
        (optional.choices, optional.isNumber, optional.isPath) = (form.choices, form.isNumber, form.isPath)
        return optional
    }
}

/// Why a text is no value of a setting.
enum SettingProblem: Error {
    /// It is not what is expected.
    case form
    /// Why it cannot be used, to which what is expected is added.
    case reason(String, any Error)
    /// Why it cannot be used, and what to write instead.
    case advice(String, any Error)
}

// MARK: - Numbers

extension SettingForm where Value == Int {
    static func number(in range: ClosedRange<Int>) -> SettingForm {
        var form = SettingForm(
            "a number from \(range.lowerBound) to \(range.upperBound)",
            parse: { text in Int(text).flatMap { range.contains($0) ? $0 : nil } }, text: { "\($0)" })
        form.isNumber = true
        return form
    }
}

extension SettingForm where Value == Duration {
    static let seconds = duration(
        "seconds, from 1 to 86400", unit: .seconds(1), { Double($0) }, in: 1...86_400, { .seconds($0) })
    static let days = duration(
        "days, from 1 to 36500", unit: .seconds(86_400), { Int($0) }, in: 1...36_500, { .seconds($0 * 86_400) })

    private static func duration<Number: Comparable & Sendable>(
        _ expectation: String, unit: Duration, _ parse: @escaping @Sendable (String) -> Number?,
        in range: ClosedRange<Number>, _ make: @escaping @Sendable (Number) -> Duration
    ) -> SettingForm {
        var form = SettingForm(
            expectation, parse: { parse($0).flatMap { range.contains($0) ? make($0) : nil } },
            text: { value in
                let number = value / unit
                return number == number.rounded() ? "\(Int(number))" : "\(number)"
            })
        form.isNumber = true
        return form
    }
}

extension SettingForm where Value == UInt64 {
    private static var units: [(name: String, size: UInt64)] {
        [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)]
    }

    /// `1048576`, `1 MiB` or `0.5GiB`.
    static let bytes: SettingForm = {
        var form = SettingForm(
            "bytes, or a number with KiB, MiB, GiB or TiB",
            parse: { ByteSize.count($0) },
            text: { "\($0)" },
            words: { count in
                let unit = units.last { count >= $0.size && count.isMultiple(of: $0.size) }
                return unit.map { "\(count / $0.size) \($0.name)" } ?? "\(count)"
            })
        form.isNumber = true
        return form
    }()
}

// MARK: - Words

extension SettingForm {
    /// One of a few words.
    private static func word(
        _ choices: [String], parse: @escaping @Sendable (String) -> Value?, text: @escaping @Sendable (Value) -> String
    ) -> SettingForm {
        let last = choices.last ?? ""
        let others = choices.dropLast().joined(separator: ", ")
        var form = SettingForm("\(others) or \(last)", parse: parse, text: { text($0) })
        form.choices = choices
        return form
    }
}

extension SettingForm where Value == ReportEncoding {
    static let encoding = word(
        ReportEncoding.all.map(\.rawValue), parse: { ReportEncoding(rawValue: $0) }, text: { $0.rawValue })
}

extension SettingForm where Value == TLSVersion {
    static let tlsVersion = word(
        [TLSVersion.v12, .v13].map(\.rawValue), parse: { TLSVersion(rawValue: $0) }, text: { $0.rawValue })
}

extension SettingForm where Value == Acknowledgement {
    static let acknowledgement = SettingForm(
        "header:NAME, json:POINTER or any", parse: { Acknowledgement($0) }, text: { $0.description })
}

extension SettingForm where Value == String {
    static func text(_ expectation: String) -> SettingForm {
        SettingForm(expectation, parse: { $0 }, text: { $0 })
    }
}

extension SettingForm where Value == FilePath {
    static func path(_ expectation: String) -> SettingForm {
        var form = SettingForm(
            expectation, parse: { $0.isEmpty ? nil : FilePath($0) }, text: { $0.string })
        form.isPath = true
        return form
    }
}

extension SettingForm where Value == SignatureLimit? {
    static let signatureLimit = SettingForm(
        SignatureLimit.expectation,
        parse: { text in text == "none" ? .some(nil) : SignatureLimit(text).map { .some($0) } },
        text: { $0?.description ?? "none" })
}

// MARK: - Addresses

extension SettingForm where Value == String {
    static let endpoint = SettingForm(
        endpointExpectation,
        read: { text throws(SettingProblem) in
            do throws(ReportsError) {
                _ = try Destination(endpoint: text).validate()
                return text
            } catch {
                // What is wrong with a mark is told with the marks that there are, and of a bucket with what to write.
                let isOfHTTP = Destination.kind(of: text) == HTTPDestination.self
                let tellsAll = error.underlyingError is MarkProblem || !isOfHTTP
                throw tellsAll ? .advice(error.message, error) : .reason(error.message, error)
            }
        }, text: { $0 })

    private static var endpointExpectation: String {
        // What can be done over TLS can be done without.
        let schemes = Destination.kinds.flatMap { $0.schemes }.filter { !$0.hasSuffix("+http") }
        let others = schemes.dropLast().joined(separator: ", ")
        return "an \(others) or \(schemes.last ?? "") address, which may hold marks such as {id}"
    }
}

extension SettingForm where Value == ProxySettings {
    static let proxy = SettingForm(
        "http://[USER:PASSWORD@]HOST:PORT, socks5://HOST:PORT, none or environment",
        read: { text throws(SettingProblem) in
            do throws(ConnectionSettingsError) {
                return try ProxySettings.written(text)
            } catch {
                throw .reason(error.problem, error)
            }
        }, text: { $0.description })
}

/// Hides what nobody is to see of an address.
enum AddressMask {
    /// What a query holds may be a secret, but for what the kind of destination knows to be none, and what stands
    /// before the host is one.
    @Sendable
    static func withoutSecrets(_ text: String) -> String {
        let whole = text.prefix { $0 != "?" }
        let kind = Destination.kind(of: text)
        let path = kind.hasTokensInPath ? Self.withoutTokens(Self.withoutUser(whole)) : Self.withoutUser(whole)
        guard whole.endIndex < text.endIndex else { return path }
        let open = kind.openQueryNames
        let parts = text[whole.endIndex...].dropFirst().split(separator: "&", omittingEmptySubsequences: false)
        let shown = parts.map { part -> Substring in
            // An address may have a password in it.
            guard let mark = part.firstIndex(of: "="), open.contains(String(part[..<mark])), !part.contains("@") else {
                return "***"
            }
            return part
        }
        return path + "?" + (shown.allSatisfy { $0 == "***" } ? "***" : shown.joined(separator: "&"))
    }

    private static func withoutTokens(_ text: String) -> String {
        guard let mark = text.ranges(of: "://").first else { return text }
        let start = text[mark.upperBound...].firstIndex(of: "/") ?? text.endIndex
        return text[..<start] + TokenMask.path(text[start...])
    }

    private static func withoutUser(_ text: Substring) -> String {
        guard let mark = text.ranges(of: "://").first else { return String(text) }
        let authority = text[mark.upperBound...].prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return String(text) }
        return text[..<mark.upperBound] + "***" + text[at...]
    }

    /// A proxy's address as it is understood, without user name and password.
    @Sendable
    static func withoutCredentials(_ text: String) -> String {
        (try? ProxySettings.written(text).description) ?? "***"
    }
}
