import DurableIO
import SystemPackage

/// The configuration file: a JSON object whose members are settings, and `headers`.
///
/// Instead of a text any member may be `{"file": "PATH"}` or `{"environment": "NAME"}`, so that secrets stay where they are
/// kept. Paths in it may be relative to its folder.
struct SettingsFile {
    private(set) var texts: [Setting: String] = [:]
    private(set) var headers: [HeaderSetting] = []
    let path: FilePath

    private static let maximumByteCount = 1 << 20

    func source(_ key: String) -> SettingSource { .file(path.string, key: key) }

    /// Reads a file.
    /// - Parameters:
    ///   - path: of the file.
    ///   - isTrusted: whether it counts whoever may write to it.
    ///   - sources: what it is read with, and for.
    ///   - variable: gives the environment's variables.
    /// - Returns: `nil` when there is no such file.
    /// - Throws: ``ReportsError/Code/badConfiguration``, with file, key and what is expected.
    static func read(
        _ path: FilePath, isTrusted: Bool, _ sources: Settings.Sources, variable: @escaping (String) -> String?
    ) throws(ReportsError) -> SettingsFile? {
        let files = sources.files
        let bytes: [UInt8]
        do throws(FileSystemError) {
            let file = try files.openFile(path)
            let facts = try files.metadata(of: file)
            // Whoever can change the endpoint gets the reports, and the secrets that are sent with them.
            let isOurs = facts.owner == 0 || facts.owner == UserIdentity.current
            guard isTrusted || isOurs && facts.permissions & 0o002 == 0 else {
                throw FileSystemError(.open, path.string, .permissionDenied)
            }
            guard facts.kind == .regular else { throw FileSystemError(.open, path.string, .invalidArgument) }
            bytes = try files.read(file, limit: maximumByteCount)
        } catch {
            // A spool that cannot be entered is told of by whoever opens it.
            let isInside = (try? files.openDirectory(path.removingLastComponent())) != nil
            if error.errno == .noSuchFileOrDirectory || !isTrusted && !isInside { return nil }
            let hint =
                error.errno == .permissionDenied && !isTrusted
                ? ": it has to be readable, the spool's owner's or root's, and not writable by everybody" : ""
            throw ReportsError(.badConfiguration, "\(path): \(error.errno)\(hint)", underlyingError: error)
        }
        return try SettingsFile(bytes, path: path, sources, variable: variable)
    }

    private init(
        _ bytes: [UInt8], path: FilePath, _ sources: Settings.Sources, variable: @escaping (String) -> String?
    ) throws(ReportsError) {
        self.path = path
        let object: JSONObject
        do {
            guard let found = try JSONValue.parse(bytes).objectValue else {
                throw ReportsError(
                    .badConfiguration, "\(path): expected a JSON object, as {\"endpoint\": \"https://…\"}")
            }
            object = found
        } catch let error as ReportsError {
            throw error
        } catch {
            throw ReportsError(.badConfiguration, "\(path): is no JSON: \(error)", underlyingError: error)
        }
        let reader = LeafReader(path: path, files: sources.files, variable: variable)
        for member in object.members {
            if member.key == "headers" {
                if !sources.isForLimitsAlone { headers = try Self.headers(member.value, reader) }
            } else if let setting = Setting(rawValue: member.key) {
                guard setting.isLimit || !sources.isForLimitsAlone else { continue }
                texts[setting] = try reader.text(member.value, of: setting)
            } else {
                let known = ["headers"] + Setting.allCases.map(\.rawValue)
                throw ReportsError(
                    .badConfiguration,
                    "\(path): \(Printable.text(member.key)): there is no such setting; expected one of "
                        + known.joined(separator: ", "))
            }
        }
    }

    private static func headers(_ value: JSONValue, _ reader: LeafReader) throws(ReportsError) -> [HeaderSetting] {
        guard let object = value.objectValue else {
            throw reader.problem("headers", "expected an object, as {\"Authorization\": {\"file\": \"PATH\"}}")
        }
        var headers: [HeaderSetting] = []
        for member in object.members {
            let key = "headers.\(Printable.text(member.key))"
            let value = try reader.leaf(member.value, key, expectation: "a text")
            headers.append(try HeaderSetting(member.key, value, from: .file(reader.path.string, key: key)))
        }
        return headers
    }

    /// Reads the members' values.
    private struct LeafReader {
        let path: FilePath
        let files: any FileSystem
        let variable: (String) -> String?

        private static let maximumSecretByteCount = 64 << 10

        func problem(_ key: String, _ text: String) -> ReportsError {
            ReportsError(.badConfiguration, "\(path): \(key): \(text)")
        }

        func text(_ value: JSONValue, of setting: Setting) throws(ReportsError) -> String {
            let text = try leaf(value, setting.rawValue, expectation: setting.expectation)
            return setting.isPath ? resolved(text).string : text
        }

        func leaf(_ value: JSONValue, _ key: String, expectation: String) throws(ReportsError) -> String {
            switch value {
            case .string(let text): return text
            case .integer(let number): return "\(number)"
            case .double(let number): return "\(number)"
            case .object(let object) where object.members.count == 1:
                guard let member = object.members.first, let name = member.value.stringValue else { break }
                if member.key == "file" { return try fileText(name, key) }
                guard member.key == "environment" else { break }
                guard let text = variable(name) else { throw problem(key, "$\(name) is not set") }
                return text
            default: break
            }
            throw problem(
                key, "expected \(expectation), or {\"file\": PATH} or {\"environment\": NAME} to take it from")
        }

        /// A file's first line: what ends a line is no part of a secret.
        private func fileText(_ name: String, _ key: String) throws(ReportsError) -> String {
            let file = resolved(name)
            let bytes: [UInt8]
            do throws(FileSystemError) {
                bytes = try files.read(files.openFile(file), limit: Self.maximumSecretByteCount)
            } catch {
                throw problem(key, "\(file): \(error.errno)")
            }
            let line = bytes.prefix { $0 != 0x0a && $0 != 0x0d }
            guard let text = String(validating: line, as: UTF8.self), !text.isEmpty,
                line.count < Self.maximumSecretByteCount
            else { throw problem(key, "\(file): expected a line of UTF-8 that is not empty, of less than 64 KiB") }
            return text
        }

        private func resolved(_ name: String) -> FilePath {
            let path = FilePath(name)
            return path.isAbsolute ? path : self.path.removingLastComponent().pushing(path)
        }
    }
}
