package import SystemPackage

/// The spool that is meant where nobody names one with an option.
///
/// Looking for it makes nothing.
package struct StandardSpool: Sendable {
    /// What names the spool.
    package enum Source: Sendable, Hashable {
        /// The variable `$REPORTS_SPOOL`.
        case variable
        /// Nothing: it is the default.
        case standard
    }

    /// The variable that names a spool.
    package static let variable = "REPORTS_SPOOL"

    package let path: FilePath
    package let source: Source
    /// Whether it is the machine's spool, which became the default because the caller is root or its owner.
    package let isOfMachine: Bool
    /// A spool of the caller's own that was the default before the machine had one; `nil` when there is none, or the
    /// spool was named.
    package private(set) var leftBehind: FilePath?

    /// Where to look for the spool.
    package struct Places {
        /// The machine's spool, which a package's service owns.
        package var machine: FilePath = "/var/lib/reports"
        /// Where the caller's programs keep their state; `nil` for a user without a home directory.
        package var state: FilePath? = UserIdentity.stateDirectory
        package var user: UInt32 = UserIdentity.current
        package var files: any FileSystem = POSIXFileSystem()
        package var variable: (String) -> String? = Environment.value

        package init() {}
    }

    /// The spool of `$REPORTS_SPOOL`, else the default.
    ///
    /// There is none where none is named, for a user without a home directory.
    /// - Parameter places: where to look.
    package init?(_ places: Places) {
        if let named = Self.named(by: places.variable) { self = named } else { self.init(defaultIn: places) }
    }

    /// The spool of `$REPORTS_SPOOL`, which is quicker to find than the default.
    /// - Parameter variable: gives the variables of the environment.
    /// - Returns: `nil` where it names none.
    package static func named(by variable: (String) -> String? = Environment.value) -> StandardSpool? {
        guard let named = variable(Self.variable), !named.isEmpty else { return nil }
        return StandardSpool(FilePath(named), from: .variable)
    }

    /// The default: the machine's spool where the caller is root or its owner, else the caller's own.
    ///
    /// A user without a home directory may have none.
    /// - Parameter places: where to look.
    package init?(defaultIn places: Places) {
        let own = places.state?.appending("reports")
        guard let owner = Self.owner(ofSpoolAt: places.machine, places.files), [0, owner].contains(places.user) else {
            guard let own else { return nil }
            self.init(own, from: .standard)
            return
        }
        self.init(places.machine, from: .standard, isOfMachine: true)
        if let own, Self.owner(ofSpoolAt: own, places.files) != nil { leftBehind = own }
    }

    private init(_ path: FilePath, from source: Source, isOfMachine: Bool = false) {
        self.path = path
        self.source = source
        self.isOfMachine = isOfMachine
    }

    /// - Returns: `nil` where there is no spool, or none that can be looked into.
    private static func owner(ofSpoolAt path: FilePath, _ files: any FileSystem) -> UInt32? {
        guard let root = try? files.openDirectory(path),
            (try? files.metadata(of: SpoolVersion.fileName, in: root)) ?? nil != nil
        else { return nil }
        return try? files.metadata(of: root).owner
    }
}
