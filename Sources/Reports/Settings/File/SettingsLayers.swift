import DurableIO
import SystemPackage

/// The configuration file from outside of the spool: the one that `$REPORTS_CONFIG` names, else the machine's.
///
/// It is the caller's word or the administrator's, so that root reads it, and the secrets that it names, as root, and
/// only then becomes the spool's owner. The file in the spool is the owner's word, and must not have root read what the
/// owner may not.
package struct OuterSettingsFile {
    /// `nil` when there is none.
    let file: SettingsFile?
    /// Whether it stands instead of the spool's own file.
    let isNamed: Bool
    /// The machine's file, if the caller may not read it. It then counts for nothing: an administrator who keeps the
    /// settings of the machine's spool to its owner does not keep other users from having spools of their own.
    let unreadPath: FilePath?

    /// Reads it.
    /// - Parameter sources: what the settings are made from.
    /// - Throws: ``ReportsError/Code/badConfiguration``.
    package init(_ sources: Settings.Sources) throws(ReportsError) {
        guard let named = sources.value(ofVariable: "REPORTS_CONFIG") else {
            isNamed = false
            let isKept = Self.isKept(sources.systemFile, sources.files)
            unreadPath = isKept ? sources.systemFile : nil
            file = isKept ? nil : try SettingsFile.read(sources.systemFile, as: .machine, sources)
            return
        }
        (isNamed, unreadPath) = (true, nil)
        file = try SettingsFile.read(FilePath(named), as: .named, sources)
        guard file != nil else {
            throw ReportsError(.badConfiguration, "$REPORTS_CONFIG: \(named): \(Errno.noSuchFileOrDirectory)")
        }
    }

    private static func isKept(_ path: FilePath, _ files: any FileSystem) -> Bool {
        do throws(FileSystemError) {
            _ = try files.openFile(path)
            return false
        } catch {
            return error.errno == .permissionDenied
        }
    }
}

/// What the configuration files say together: a member of the spool's file stands instead of the machine's.
struct SettingsLayers {
    private(set) var entries: [Setting: SettingEntry] = [:]
    private(set) var headers: [HeaderSetting] = []
    /// Of the files, the stronger one first.
    let paths: [FilePath]
    /// Headers that a file has and that are not sent, and the member of a stronger file that keeps them back.
    private(set) var withheld: (headersOf: FilePath, because: SettingEntry)?

    /// The settings that decide who can read what is sent.
    private static let leading: [Setting] = [.endpoint, .proxy, .tlsAuthorities]

    /// - Throws: ``ReportsError/Code/badConfiguration`` for a file in the spool that cannot be read, and for each
    ///   member of either file that counts and cannot be had.
    init(_ sources: Settings.Sources, _ outer: OuterSettingsFile) throws(ReportsError) {
        var layers = [outer.file].compactMap(\.self)
        if !outer.isNamed {
            let path = sources.spool.appending(Settings.fileName.description)
            if let file = try SettingsFile.read(path, as: .spool, sources) { layers.insert(file, at: 0) }
        }
        paths = layers.map(\.path)
        var hasHeaders = false
        for layer in layers {
            let stronger = entries
            for (setting, value) in layer.entries where stronger[setting] == nil {
                entries[setting] = try value.get()
            }
            guard !hasHeaders, let given = layer.headers else { continue }
            // Headers hold secrets, which the administrator may keep from the spool's owner: they must not go where the
            // owner's file leads.
            if let entry = Self.leading.compactMap({ stronger[$0] }).first {
                withheld = (layer.path, entry)
                continue
            }
            headers = try given.get()
            hasHeaders = true
        }
    }
}
