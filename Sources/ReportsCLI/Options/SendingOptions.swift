import ArgumentParser
import DurableIO
import Reports

/// Where reports go and how: an option for each setting about that, and the headers.
///
/// Each has a place in the environment and in the configuration files as well.
struct SendingOptions: ParsableArguments {
    /// For the help of each command with these options: where else they may stand.
    static let otherPlaces = """
        The options up to --max-concurrent may as well stand in the environment, --no-proxy as $REPORTS_NO_PROXY, \
        or in the spool's reports.json, as "no_proxy", or in /etc/reports/reports.json; 'reports settings' shows \
        what is in force.
        """
    static let example = "--endpoint 'https://example.com/reports/{id}' --header @/etc/token"

    @Option(.endpoint) var endpoint: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A header 'Name: value', or @FILE with one a line.",
            discussion: "A file keeps secrets out of the process list. May be repeated.", valueName: "header"))
    var header: [String] = []

    @Option(.encoding) var encoding: String?
    @Option(.acknowledgement) var acknowledgement: String?
    @Option(.tlsAuthorities) var tlsAuthorities: String?
    @Option(.tlsCertificate) var tlsCertificate: String?
    @Option(.tlsKey) var tlsKey: String?
    @Option(.tlsMinimum) var tlsMinimum: String?
    @Option(.proxy) var proxy: String?
    @Option(.noProxy) var noProxy: String?
    @Option(.connectTimeout) var connectTimeout: String?
    @Option(.idleTimeout) var idleTimeout: String?
    @Option(.answerTimeout) var answerTimeout: String?
    @Option(.maximumConcurrent) var maxConcurrent: String?

    /// What was given.
    var given: [Setting: String] {
        let all: [Setting: String?] = [
            .endpoint: endpoint, .encoding: encoding, .acknowledgement: acknowledgement,
            .tlsAuthorities: tlsAuthorities, .tlsCertificate: tlsCertificate, .tlsKey: tlsKey, .tlsMinimum: tlsMinimum,
            .proxy: proxy, .noProxy: noProxy, .connectTimeout: connectTimeout, .idleTimeout: idleTimeout,
            .answerTimeout: answerTimeout, .maximumConcurrent: maxConcurrent,
        ]
        return all.compactMapValues(\.self)
    }
}

extension Option where Value == String? {
    /// The option of a setting, with the words that the table of settings has for it.
    init(_ setting: Setting) {
        let standard = setting.standardWords.map { " Default: \($0)." } ?? ""
        self.init(
            name: .customLong(setting.optionName),
            // Whatever stands behind a number's name is its value: -1 is a wrong number, not an option.
            parsing: setting.isNumber ? .unconditional : .next,
            help: ArgumentHelp(
                "\(setting.help)\(standard)", discussion: setting.details, valueName: setting.valueName),
            completion: setting.isPath ? .file() : setting.choices.isEmpty ? nil : .list(setting.choices))
    }
}

extension HeaderSetting {
    /// What `--header` was given, its files read. Each attempt reads them again.
    static func given(_ texts: [String]) throws -> [HeaderSetting] {
        try texts.flatMap { text in
            guard text.hasPrefix("@") else { return [try HeaderSetting(line: text, from: .option("--header"))] }
            let path = String(text.dropFirst())
            let files = POSIXFileSystem()
            let bytes: [UInt8]
            do throws(FileSystemError) {
                bytes = try files.read(files.openFile(.init(path)), limit: HeaderSetting.maximumByteCount + 1)
            } catch {
                throw ReportsError(.badConfiguration, "--header @\(path): \(error.errno)", underlyingError: error)
            }
            let read: HeaderFile.Reader = { (bytes) throws(ReportsError) in
                try HeaderSetting.lines(bytes, from: .option("--header @\(path)"))
            }
            let file = HeaderFile(.init(path), files: files, limit: HeaderSetting.maximumByteCount + 1, read)
            return try file.holding(read(bytes))
        }
    }
}
