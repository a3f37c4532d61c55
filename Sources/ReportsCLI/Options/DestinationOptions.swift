import ArgumentParser
import DurableIO
import Reports

/// Where reports go, and with which headers.
struct DestinationOptions: ParsableArguments {
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

    func destination() throws -> Destination {
        let fromEnvironment = Environment.value("REPORTS_ENDPOINT").flatMap { $0.isEmpty ? nil : $0 }
        guard let url = endpoint ?? fromEnvironment else {
            throw ReportsError(
                .badConfiguration, "no endpoint: give --endpoint URL or set $REPORTS_ENDPOINT")
        }
        let headers = try header.flatMap(Self.headers)
        let destination = Destination.http(url, headers: headers)
        do {
            _ = try destination.validate()
        } catch {
            let source = endpoint == nil ? "$REPORTS_ENDPOINT" : "--endpoint"
            let code: ReportsError.Code = endpoint == nil ? .badConfiguration : .badArgument
            throw ReportsError(code, "\(source): \(error.message)", underlyingError: error)
        }
        return destination
    }

    private static func headers(_ text: String) throws -> [(name: String, value: String)] {
        guard text.hasPrefix("@") else { return [try header(text, from: "--header")] }
        let path = String(text.dropFirst())
        let files = POSIXFileSystem()
        let bytes: [UInt8]
        do {
            bytes = try files.read(files.openFile(.init(path)), limit: 64 << 10)
        } catch {
            throw ReportsError(.badConfiguration, "--header @\(path): \(error.errno)", underlyingError: error)
        }
        return try String(decoding: bytes, as: UTF8.self)
            .split(whereSeparator: \.isNewline)
            .filter { !$0.allSatisfy(\.isWhitespace) && !$0.hasPrefix("#") }
            .map { try header(String($0), from: "--header @\(path)") }
    }

    /// The value stays out of every message: it may be a secret.
    private static func header(_ line: String, from source: String) throws -> (name: String, value: String) {
        guard let colon = line.firstIndex(of: ":") else {
            throw ReportsError(.badArgument, "\(source): a header needs a colon, as in 'Authorization: Bearer TOKEN'")
        }
        let name = String(line[..<colon])
        let value = line[line.index(after: colon)...]
        guard HeaderRules.isName(name) else {
            throw ReportsError(.badArgument, "\(source): \"\(Printable.text(name))\" is no header name")
        }
        guard !HeaderRules.isReserved(name) else {
            throw ReportsError(.badArgument, "\(source): \(name) is set by the tool itself")
        }
        guard HeaderRules.isValue(String(value)) else {
            throw ReportsError(.badArgument, "\(source): the value of \(name) holds control characters")
        }
        return (name, String(value.drop(while: \.isWhitespace)))
    }
}
