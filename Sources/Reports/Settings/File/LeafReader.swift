import Diagnosis
import DurableIO
import SystemPackage

/// Reads the values of a configuration file's members.
struct LeafReader {
    let path: FilePath
    let places: JSONPlaces
    let sources: Settings.Sources

    private static let maximumSecretByteCount = 64 << 10

    /// Where the value of a member is from, which is named by the keys that lead to it.
    func source(_ keys: [String]) -> SettingSource {
        .file(path.string, key: Printable.text(JSONPlaces.text(of: keys)), place: places.place(of: keys))
    }

    /// Where the name of a member is.
    func nameSource(_ keys: [String]) -> SettingSource {
        .file(path.string, key: Printable.text(JSONPlaces.text(of: keys)), place: places.place(ofName: keys))
    }

    func problem(_ keys: [String], _ text: String) -> ReportsError {
        ReportsError(.badConfiguration, "\(source(keys).subject): \(text)")
    }

    /// What is wrong with the name of a member.
    func nameProblem(_ keys: [String], _ text: String) -> ReportsError {
        ReportsError(.badConfiguration, "\(nameSource(keys).subject): \(text)")
    }

    /// That there is no member of that name, and which one may be meant.
    func unknownMember(_ keys: [String], among known: [String], otherwise: String) -> ReportsError {
        let name = keys.last ?? ""
        let words = NearestName.of(name, among: known).map { "did you mean \($0)?" } ?? otherwise
        return nameProblem(keys, "there is no member \(Printable.text(name)): \(words)")
    }

    /// Reads a setting's value, a member of the file or of one of its destinations.
    func entry(_ value: JSONValue, of setting: Setting, at keys: [String]) throws(ReportsError) -> SettingEntry {
        let text = try leaf(value, keys, expectation: setting.expectation)
        return SettingEntry(
            setting: setting, text: setting.isPath ? resolved(text).string : text, source: source(keys),
            isQuotable: value.objectValue == nil)
    }

    func leaf(_ value: JSONValue, _ keys: [String], expectation: String) throws(ReportsError) -> String {
        switch value {
        case .string(let text): return text
        case .integer(let number): return "\(number)"
        case .double(let number): return "\(number)"
        case .object(let object) where object.members.count == 1:
            guard let member = object.members.first, let name = member.value.stringValue else { break }
            if member.key == "file" { return try fileText(name, keys) }
            guard member.key == "environment" else { break }
            guard let text = sources.value(ofVariable: name) else {
                throw problem(keys, "$\(Printable.text(name)) is not set")
            }
            return text
        default: break
        }
        throw problem(
            keys,
            "expected \(expectation), or {\"file\": PATH} or {\"environment\": NAME} to take it from, "
                + "found \(Self.word(for: value))")
    }

    /// The headers that an object names.
    func headers(_ value: JSONValue, at keys: [String]) throws(ReportsError) -> [HeaderSetting] {
        guard let object = value.objectValue else {
            throw problem(keys, "expected an object, as {\"Authorization\": {\"file\": \"PATH\"}}")
        }
        return try object.members.map { (member) throws(ReportsError) in
            let keys = keys + [member.key]
            let value = try leaf(member.value, keys, expectation: "a text")
            let header = try HeaderSetting(member.key, value, from: source(keys))
            guard let name = member.value["file"]?.stringValue else { return header }
            return headerFile(resolved(name), header).holding([header])[0]
        }
    }

    /// The file that the value of a header is in.
    private func headerFile(_ path: FilePath, _ header: HeaderSetting) -> HeaderFile {
        HeaderFile(path, files: sources.files, limit: Self.maximumSecretByteCount + 1) {
            [name = header.name, source = header.source] (bytes) throws(ReportsError) in
            let text = try Self.secret(in: bytes) { ReportsError(.badConfiguration, $0) }
            return [try HeaderSetting(name, text, from: source)]
        }
    }

    static func word(for value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer, .double: "a number"
        case .string: "a text"
        case .array: "a list"
        case .object: "another object"
        }
    }

    /// A file's first line that is neither empty nor a comment: what ends a line is no part of a secret.
    private func fileText(_ name: String, _ keys: [String]) throws(ReportsError) -> String {
        let file = resolved(name)
        func fileProblem(_ text: String) -> ReportsError { problem(keys, "\(file): \(text)") }
        let bytes: [UInt8]
        do throws(FileSystemError) {
            bytes = try sources.files.read(sources.files.openFile(file), limit: Self.maximumSecretByteCount + 1)
        } catch {
            // The user has to be named, because root reads as the spool's owner.
            let hint = error.errno == .permissionDenied ? ": it must be readable for user \(UserIdentity.name)" : ""
            throw fileProblem("\(error.errno)\(hint)")
        }
        return try Self.secret(in: bytes, fileProblem)
    }

    /// The first line of a file that is neither empty nor a comment.
    private static func secret(
        in bytes: [UInt8], _ problem: (String) -> ReportsError
    ) throws(ReportsError) -> String {
        let line: WrittenText.Line?
        do {
            line = try WrittenText(bytes, limit: maximumSecretByteCount).lines.first
        } catch {
            throw problem("\(error)")
        }
        guard let line else { throw problem("expected a line that is neither empty nor a comment") }
        guard let text = line.text else {
            throw problem("line \(line.number): is not UTF-8: save the file as UTF-8")
        }
        return String(text)
    }

    private func resolved(_ name: String) -> FilePath {
        let path = FilePath(name)
        return path.isAbsolute ? path : self.path.removingLastComponent().pushing(path)
    }
}
