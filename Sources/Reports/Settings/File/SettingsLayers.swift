import DurableIO
import SystemPackage

/// The configuration file that `$REPORTS_CONFIG` names. It stands instead of the machine's and the spool's.
///
/// It is the caller's word: root reads it, and the files that it names, before it becomes the spool's owner.
package struct NamedSettingsFile {
    let file: SettingsFile

    /// Reads it; `nil` when none is named.
    /// - Parameter sources: what the settings are made from.
    /// - Throws: ``ReportsError/Code/badConfiguration``.
    package init?(_ sources: Settings.Sources) throws(ReportsError) {
        guard let path = sources.value(ofVariable: "REPORTS_CONFIG") else { return nil }
        guard let file = try SettingsFile.read(FilePath(path), as: .named, sources) else {
            throw ReportsError(.badConfiguration, "$REPORTS_CONFIG: \(path): \(Errno.noSuchFileOrDirectory)")
        }
        self.file = file
    }
}

/// What the configuration files say together: a member of the spool's file stands instead of the machine's.
///
/// Where reports go is one unit: of the files that have `endpoint` or `destinations`, the strongest alone decides it.
struct SettingsLayers {
    private(set) var entries: [Setting: SettingEntry] = [:]
    /// The headers for all that is sent; `nil` if no file gives any.
    private(set) var headers: GivenHeaders?
    /// The destinations and routes; `nil` if a file's endpoint counts, or no file says where reports go.
    private(set) var routing: Result<GivenRouting, ReportsError>?
    /// What stronger files than that of ``routing`` have that decides who can read what is sent.
    private(set) var leadingOverRouting: [SettingEntry] = []
    /// What each file says of annotations, the stronger one first.
    private(set) var annotations: [[GivenAnnotation]] = []
    /// Of the files, the stronger one first.
    let paths: [FilePath]
    /// The machine's file, if this user may not read it. It then counts for nothing: an administrator who keeps the
    /// settings of the machine's spool to its owner does not keep other users from having spools of their own.
    let unreadPath: FilePath?
    /// Headers that a file has and that are not sent, and the member of a stronger file that keeps them back.
    private(set) var withheld: (headersOf: FilePath, because: String)?

    /// The settings that decide who can read what is sent.
    private static let leading: [Setting] = [.endpoint, .proxy, .tlsAuthorities]

    /// - Throws: ``ReportsError/Code/badConfiguration`` for a file in the spool that cannot be read, and for each
    ///   member of either file that counts and cannot be had.
    init(_ sources: Settings.Sources, _ named: NamedSettingsFile?) throws(ReportsError) {
        let layers: [SettingsFile]
        if let named {
            (layers, unreadPath) = ([named.file], nil)
        } else {
            let isKept = Self.isKept(sources.systemFile, sources.files)
            unreadPath = isKept ? sources.systemFile : nil
            let machine = isKept ? nil : try SettingsFile.read(sources.systemFile, as: .machine, sources)
            let path = sources.spool.appending(Settings.fileName.description)
            layers = [try SettingsFile.read(path, as: .spool, sources), machine].compactMap(\.self)
        }
        paths = layers.map(\.path)
        annotations = layers.map(\.annotations)
        let leader = layers.firstIndex(where: \.leads)
        for (index, layer) in layers.enumerated() {
            let stronger = entries
            for (setting, value) in layer.entries where stronger[setting] == nil {
                guard setting != .endpoint || index == leader else { continue }
                entries[setting] = try value.get()
            }
            let leading = Self.leading.compactMap { stronger[$0] }
            if index == leader { (routing, leadingOverRouting) = (layer.routing, leading) }
            guard headers == nil, let given = layer.headers else { continue }
            // Headers hold secrets for the server that the administrator named: they must not go where the file of the
            // spool's owner leads.
            if let leader, leader < index, layers[leader].routing != nil {
                withheld = (layer.path, "\(layers[leader].path) has destinations")
            } else if let entry = leading.first {
                withheld = (layer.path, entry.description)
            } else {
                headers = given
            }
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
