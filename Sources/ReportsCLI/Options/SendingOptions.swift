import ArgumentParser
import DurableIO
import Reports

/// Where reports go and how. Each has a place in the environment and in the configuration file as well.
struct SendingOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The server's URL; {id}, {kind} and {host} are filled in.",
            discussion: "With {id} reports are PUT, without it POSTed. Default: $REPORTS_ENDPOINT.", valueName: "url"))
    var endpoint: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A header 'Name: value', or @FILE with one a line.",
            discussion: "A file keeps secrets out of the process list. May be repeated.", valueName: "header"))
    var header: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "gzip (Content-Encoding), file (a .gz as it is) or identity (inflated while it is sent). Default: gzip.",
            valueName: "encoding"))
    var encoding: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The proof without which no 2xx counts: header:NAME or json:POINTER. Default: none.", valueName: "proof"))
    var acknowledgement: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Authorities to trust besides the system's, in PEM.", valueName: "file"))
    var tlsAuthorities: String?

    @Option(name: .long, help: ArgumentHelp("The client's certificate, in PEM.", valueName: "file"))
    var tlsCertificate: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Its key, in PEM. Default: in the certificate's file.", valueName: "file"))
    var tlsKey: String?

    @Option(name: .long, help: ArgumentHelp("The oldest TLS to speak, 1.2 or 1.3. Default: 1.2.", valueName: "version"))
    var tlsMinimum: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "http://[USER:PASSWORD@]HOST:PORT, socks5://HOST:PORT, none or environment.",
            discussion: "Default: environment, that is $https_proxy, $http_proxy and $no_proxy as curl reads them.",
            valueName: "url"))
    var proxy: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Hosts and networks reached without it, separated by commas.", valueName: "hosts"))
    var noProxy: String?

    // Whatever stands behind a number's name is its value: -1 is a wrong number, not an option.
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Until there is a connection. Default: 5.", valueName: "seconds"))
    var connectTimeout: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("While no byte moves. Default: 60.", valueName: "seconds"))
    var idleTimeout: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "From the last byte to the answer. Default: 300, doubled at each failure of a report up to 1800.",
            valueName: "seconds"))
    var answerTimeout: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Reports under way at once, 1 to 64. Default: 16.", valueName: "n"))
    var maxConcurrent: String?

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

extension HeaderSetting {
    /// What `--header` was given, its files read.
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
            return try HeaderSetting.lines(bytes, from: .option("--header @\(path)"))
        }
    }
}
