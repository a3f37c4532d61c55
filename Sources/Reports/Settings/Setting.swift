import Background
import DurableIO
import SystemPackage

/// A setting by its name: a member of the configuration file, `REPORTS_` and the name in capitals in the environment,
/// and for what concerns sending `--` and the name with dashes on the command line.
package enum Setting: String, CaseIterable, Sendable {
    case endpoint
    case encoding
    case acknowledgement
    case tlsAuthorities = "tls_authorities"
    case tlsCertificate = "tls_certificate"
    case tlsKey = "tls_key"
    case tlsMinimum = "tls_minimum"
    case proxy
    case noProxy = "no_proxy"
    case connectTimeout = "connect_timeout"
    case idleTimeout = "idle_timeout"
    case answerTimeout = "answer_timeout"
    case maximumConcurrent = "max_concurrent"
    case maximumReportSize = "max_report_size"
    case minimumFreeSpace = "min_free_space"
    case maximumTotalSize = "max_total_size"
    case maximumCount = "max_count"
    case maximumAge = "max_age_days"

    /// Of the environment.
    package var variable: String { "REPORTS_" + rawValue.uppercased() }
    /// Of the command line.
    package var option: String { "--" + rawValue.replacing("_", with: "-") }

    /// What a value has to be, for people.
    package var expectation: String {
        switch self {
        case .endpoint: "an http or https URL, which may hold {id}, {kind} and {host}"
        case .encoding: "gzip, file or identity"
        case .acknowledgement: "header:NAME or json:POINTER"
        case .tlsAuthorities: "a file of certificates in PEM"
        case .tlsCertificate: "a file with the client's certificate in PEM"
        case .tlsKey: "a file with the client's key in PEM"
        case .tlsMinimum: "1.2 or 1.3"
        case .proxy: "http://[USER:PASSWORD@]HOST:PORT, socks5://HOST:PORT, none or environment"
        case .noProxy: "hosts and networks, separated by commas"
        case .connectTimeout, .idleTimeout, .answerTimeout: "seconds, from 1 to 86400"
        case .maximumConcurrent: "a number from 1 to 64"
        case .maximumReportSize, .minimumFreeSpace, .maximumTotalSize: "bytes, or a number with KiB, MiB, GiB or TiB"
        case .maximumCount: "a number from 1 to 100000000"
        case .maximumAge: "days, from 1 to 36500"
        }
    }

    /// Whether it is about the spool, and of no concern to sending.
    package var isLimit: Bool {
        switch self {
        case .maximumReportSize, .minimumFreeSpace, .maximumTotalSize, .maximumCount, .maximumAge: true
        default: false
        }
    }

    /// Whether its value may hold what nobody is to see.
    var isConfidential: Bool { self == .endpoint || self == .proxy }

    /// Whether its value is a file's path, which in the configuration file may be relative to that.
    var isPath: Bool { self == .tlsAuthorities || self == .tlsCertificate || self == .tlsKey }
}

/// Where a setting's value comes from.
package enum SettingSource: Hashable, Sendable {
    case option(String)
    case variable(String)
    /// The configuration file's path, the member, and where its value stands.
    case file(String, key: String, place: TextPlace?)
    case standard

    /// As errors begin: what a person has to mend.
    package var subject: String {
        switch self {
        case .option(let name): name
        case .variable(let name): "$\(name)"
        case .file(let path, let key, let place): "\(path): \(place.map { "\($0): " } ?? "")\(key)"
        case .standard: "the default"
        }
    }

    /// As `status` tells it.
    package var description: String {
        switch self {
        case .option(let name): name
        case .variable(let name): "$\(name)"
        case .file(let path, _, _): path
        case .standard: "default"
        }
    }

    /// A wrong option is a wrong call; all else is configuration.
    var errorCode: ReportsError.Code {
        if case .option = self { .badArgument } else { .badConfiguration }
    }
}

/// A header field of the user's own, and where it comes from. Its value is never shown.
package struct HeaderSetting: Sendable {
    package let name: String
    package let value: String
    package let source: SettingSource

    /// Checks both.
    package init(_ name: String, _ value: some StringProtocol, from source: SettingSource) throws(ReportsError) {
        guard HeaderRules.isName(name) else {
            throw ReportsError(source.errorCode, "\(source.subject): \"\(Printable.text(name))\" is no header name")
        }
        try self.init(named: name, value, from: source, subject: source.subject)
    }

    /// Reads `Name: value`. The value stays out of every message, and so does whatever is no name: it may be a secret.
    /// - Parameters:
    ///   - line: of a file, a variable or the command line.
    ///   - source: where it is from.
    ///   - number: which line of it, from 1; `nil` when there is one only.
    /// - Throws: ``ReportsError`` naming the place and what is expected there.
    package init(
        line: some StringProtocol, from source: SettingSource, number: Int? = nil
    ) throws(ReportsError) {
        let subject = source.subject + (number.map { ": line \($0)" } ?? "")
        func problem(_ text: String) -> ReportsError { ReportsError(source.errorCode, "\(subject): \(text)") }
        guard line.first != " ", line.first != "\t" else {
            throw problem("begins with a blank: a header is one line, as 'Authorization: Bearer TOKEN'")
        }
        guard let colon = line.firstIndex(of: ":") else {
            throw problem("a header needs a colon, as in 'Authorization: Bearer TOKEN'")
        }
        let name = String(line[..<colon])
        guard HeaderRules.isName(name) else {
            throw problem("what stands before the colon is no header name, as in 'Authorization: Bearer TOKEN'")
        }
        try self.init(named: name, line[line.index(after: colon)...], from: source, subject: subject)
    }

    private init(
        named name: String, _ value: some StringProtocol, from source: SettingSource, subject: String
    ) throws(ReportsError) {
        guard !HeaderRules.isReserved(name) else {
            throw ReportsError(source.errorCode, "\(subject): \(name) is set by the sender itself: leave it out")
        }
        guard HeaderRules.isValue(String(value)) else {
            throw ReportsError(source.errorCode, "\(subject): the value of \(name) holds control characters")
        }
        self.name = name
        self.value = String(value.drop(while: \.isWhitespace))
        self.source = source
    }

    /// Reads one a line; empty lines and those that begin with `#` are passed over, and so is what editors add.
    package static func lines(_ bytes: [UInt8], from source: SettingSource) throws(ReportsError) -> [HeaderSetting] {
        let text: WrittenText
        do {
            text = try WrittenText(bytes, limit: maximumByteCount)
        } catch {
            throw ReportsError(source.errorCode, "\(source.subject): \(error)", underlyingError: error)
        }
        var headers: [HeaderSetting] = []
        for line in text.lines {
            guard let text = line.text else {
                throw ReportsError(
                    source.errorCode, "\(source.subject): line \(line.number): is not UTF-8: save the file as UTF-8")
            }
            headers.append(try HeaderSetting(line: text, from: source, number: line.number))
        }
        return headers
    }

    /// Of a file of them.
    package static let maximumByteCount = 64 << 10
}
