import Diagnosis
import DurableIO
import SystemPackage

/// The configuration file: a JSON object whose members are settings, `headers`, `annotations`, `destinations` and
/// `routes`.
///
/// Instead of a text any member may be `{"file": "PATH"}` or `{"environment": "NAME"}`, so that secrets stay where they
/// are kept. Paths in it may be relative to its folder.
///
/// What is wrong in it is told with file, line and column.
struct SettingsFile {
    /// What it says of each setting, in its order; of what it takes from elsewhere, why that cannot be had.
    private(set) var entries: [(setting: Setting, value: Result<SettingEntry, ReportsError>)] = []
    /// `nil` when it says nothing of headers.
    private(set) var headers: GivenHeaders?
    /// Its destinations and routes, or why they cannot be had; `nil` when it says nothing of destinations.
    private(set) var routing: Result<GivenRouting, ReportsError>?
    /// What it says of annotations, in its order; of what it takes from elsewhere, why that cannot be had.
    private(set) var annotations: [GivenAnnotation] = []
    let path: FilePath

    /// Whose word a file is.
    enum Role {
        /// The caller's, who named it: it counts whoever may write to it.
        case named
        /// The machine's administrator's.
        case machine
        /// The spool's owner's.
        case spool

        fileprivate var hint: String {
            switch self {
            case .named: ""
            case .machine: ": it must be readable, belong to root, and not be writable by everybody"
            case .spool: ": it must be readable, belong to the spool's owner or root, and not be writable by everybody"
            }
        }
    }

    /// Whether it says where reports go.
    var leads: Bool { routing != nil || entries.contains { $0.setting == .endpoint } }

    /// The members that it may have.
    static let memberNames = ["headers"] + Setting.allCases.map(\.rawValue) + ["annotations", "destinations", "routes"]

    private static let maximumByteCount = 1 << 20

    /// Reads a file.
    /// - Parameters:
    ///   - path: of the file.
    ///   - role: whose word it is.
    ///   - sources: what it is read with, and for.
    /// - Returns: `nil` when there is no such file.
    /// - Throws: ``ReportsError/Code/badConfiguration``, with file, line, key and what is expected.
    static func read(
        _ path: FilePath, as role: Role, _ sources: Settings.Sources
    ) throws(ReportsError) -> SettingsFile? {
        let files = sources.files
        let bytes: [UInt8]
        do throws(FileSystemError) {
            let file = try files.openFile(path)
            let facts = try files.metadata(of: file)
            // Whoever can change the endpoint gets the reports, and the secrets that are sent with them.
            let isOurs = facts.owner == 0 || facts.owner == UserIdentity.current
            guard role == .named || isOurs && facts.permissions & 0o002 == 0 else {
                throw FileSystemError(.open, path.string, .permissionDenied)
            }
            guard facts.kind == .regular else { throw FileSystemError(.open, path.string, .invalidArgument) }
            bytes = try files.read(file, limit: maximumByteCount + 1)
        } catch {
            if error.errno == .noSuchFileOrDirectory, isLink(path, files) {
                throw ReportsError(
                    .badConfiguration,
                    "\(path): is a link to a file that is not there: make the file, or remove the link")
            }
            if error.errno == .noSuchFileOrDirectory { return nil }
            // A spool that cannot be entered is told of by whoever opens it.
            if role == .spool, (try? files.openDirectory(path.removingLastComponent())) == nil { return nil }
            let hint = error.errno == .permissionDenied ? role.hint : ""
            throw ReportsError(.badConfiguration, "\(path): \(error.errno)\(hint)", underlyingError: error)
        }
        return try SettingsFile(bytes, path: path, sources)
    }

    private static func isLink(_ path: FilePath, _ files: any FileSystem) -> Bool {
        guard let name = path.lastComponent.flatMap({ EntryName($0.string) }),
            let folder = try? files.openDirectory(path.removingLastComponent())
        else { return false }
        return (try? files.metadata(of: name, in: folder))??.kind == .symbolicLink
    }

    private init(_ bytes: [UInt8], path: FilePath, _ sources: Settings.Sources) throws(ReportsError) {
        self.path = path
        let (object, places) = try Self.parse(bytes, path)
        let reader = LeafReader(path: path, places: places, sources: sources)
        for member in object.members {
            switch member.key {
            case "annotations": annotations = reader.annotations(member.value)
            case "headers", "destinations", "routes": break
            default:
                guard let setting = Setting(rawValue: member.key) else {
                    throw reader.nameProblem(
                        [member.key], "there is no such setting\(Self.instead(of: member.key))")
                }
                guard setting.isLimit || !sources.isForSpoolAlone else { continue }
                let value = Result { () throws(ReportsError) in
                    try reader.entry(member.value, of: setting, at: [member.key])
                }
                entries.append((setting, value))
            }
        }
        if !sources.isForSpoolAlone { try readDestinations(object, reader) }
    }

    /// Reads where reports go, and the headers, which are for one place.
    private mutating func readDestinations(_ object: JSONObject, _ reader: LeafReader) throws(ReportsError) {
        if object["destinations"] != nil {
            for name in ["endpoint", "headers"] where object[name] != nil {
                throw reader.nameProblem(
                    [name], "cannot stand beside destinations: write it into the destination that it is for")
            }
        } else if object["routes"] != nil {
            throw reader.nameProblem(["routes"], "there are no destinations to lead to: name them in destinations")
        }
        headers = object["headers"].map { value in
            GivenHeaders(
                source: reader.source(["headers"]),
                values: Result { () throws(ReportsError) in try reader.headers(value, at: ["headers"]) })
        }
        routing = object["destinations"].map { destinations in
            Result { () throws(ReportsError) in try reader.routing(destinations, routes: object["routes"]) }
        }
    }

    private static func parse(
        _ bytes: [UInt8], _ path: FilePath
    ) throws(ReportsError) -> (object: JSONObject, places: JSONPlaces) {
        func problem(_ text: String, _ error: (any Error)? = nil) -> ReportsError {
            ReportsError(.badConfiguration, "\(path): \(text)", underlyingError: error)
        }
        let text: [UInt8]
        do {
            text = try WrittenText(bytes, limit: maximumByteCount).bytes
        } catch {
            throw problem("\(error)", error)
        }
        let value: JSONValue
        do {
            value = try JSONValue.parse(text)
        } catch {
            let slip = JSONSlip(error, in: text)
            throw problem("\(TextPlace(offset: slip.offset, in: text)): \(slip.text)", error)
        }
        guard let object = value.objectValue else {
            let start = text.firstIndex { !" \t\r\n".utf8.contains($0) } ?? 0
            throw problem(
                "\(TextPlace(offset: start, in: text)): expected a JSON object, as {\"endpoint\": \"https://…\"}")
        }
        let places = JSONPlaces(text)
        if let twice = places.repetition {
            let key = Printable.text(JSONPlaces.text(of: twice.path))
            throw problem("\(twice.second): \(key): is given in line \(twice.first.line) already: leave one of them")
        }
        return (object, places)
    }

    private static func instead(of key: String) -> String {
        let meant = NearestName.of(key.replacing("-", with: "_"), among: memberNames)
        return meant.map { ": did you mean \($0)?" } ?? "; expected one of \(memberNames.joined(separator: ", "))"
    }
}

/// The headers that one place gives for all that is sent.
struct GivenHeaders {
    let source: SettingSource
    let values: Result<[HeaderSetting], ReportsError>
}
