package import DurableIO
package import SystemPackage

/// Where a spool is, and what says so.
package struct SpoolLocation: Sendable {
    package let path: FilePath
    package let source: SettingSource
    /// A spool of the caller's own that was the default before the machine had one; `nil` when there is none, or the
    /// spool was named.
    package private(set) var leftBehind: FilePath?
    /// The machine's spool; `nil` unless the caller has a spool of his own for the default, and the machine's is open
    /// to the drops of every user.
    package private(set) var sharedByMachine: FilePath?

    /// Where to look for a spool that nobody names with an option.
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

    /// The spool of a command: the option's, else that of `$REPORTS_SPOOL`, else the default.
    ///
    /// There is none where none is named, for a user without a home directory.
    /// - Parameters:
    ///   - option: what the command line names.
    ///   - places: where to look.
    package init?(option: String? = nil, _ places: Places = Places()) {
        if let option {
            self.init(FilePath(option), from: .option("--spool"))
        } else if let named = places.variable("REPORTS_SPOOL"), !named.isEmpty {
            self.init(FilePath(named), from: .variable("REPORTS_SPOOL"))
        } else {
            self.init(defaultIn: places)
        }
    }

    /// The default: the machine's spool where the caller is root or its owner, else the caller's own.
    ///
    /// A user without a home directory may have none.
    /// - Parameter places: where to look.
    package init?(defaultIn places: Places = Places()) {
        let own = places.state?.appending("reports")
        guard let owner = Self.owner(ofSpoolAt: places.machine, places.files), [0, owner].contains(places.user) else {
            guard let own else { return nil }
            self.init(own, from: .standard)
            if (try? SharedDropZone.open(places.machine, options: .init(), files: places.files)) ?? nil != nil {
                sharedByMachine = places.machine
            }
            return
        }
        self.init(places.machine, from: .standard)
        if let own, Self.owner(ofSpoolAt: own, places.files) != nil { leftBehind = own }
    }

    private init(_ path: FilePath, from source: SettingSource) {
        self.path = path
        self.source = source
    }

    /// - Returns: `nil` where there is no spool, or none that can be looked into.
    private static func owner(ofSpoolAt path: FilePath, _ files: any FileSystem) -> UInt32? {
        guard let root = try? files.openDirectory(path),
            (try? files.metadata(of: ReportSpool.versionName, in: root)) ?? nil != nil
        else { return nil }
        return try? files.metadata(of: root).owner
    }
}
