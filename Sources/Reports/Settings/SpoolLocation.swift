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
    package typealias Places = StandardSpool.Places

    /// The spool of a command: the option's, else that of `$REPORTS_SPOOL`, else the default.
    ///
    /// There is none where none is named, for a user without a home directory.
    /// - Parameters:
    ///   - option: what the command line names.
    ///   - places: where to look.
    package init?(option: String? = nil, _ places: Places = Places()) {
        if let option {
            self.init(FilePath(option), from: .option("--spool"))
        } else {
            guard let spool = StandardSpool(places) else { return nil }
            self.init(spool, places)
        }
    }

    /// The default; see ``StandardSpool/init(defaultIn:)``.
    ///
    /// A user without a home directory may have none.
    /// - Parameter places: where to look.
    package init?(defaultIn places: Places = Places()) {
        guard let spool = StandardSpool(defaultIn: places) else { return nil }
        self.init(spool, places)
    }

    private init(_ spool: StandardSpool, _ places: Places) {
        switch spool.source {
        case .variable: self.init(spool.path, from: .variable(StandardSpool.variable))
        case .standard:
            self.init(spool.path, from: .standard)
            leftBehind = spool.leftBehind
            let shared = spool.isOfMachine ? nil : Self.shared(places)
            if shared != nil { sharedByMachine = places.machine }
        }
    }

    private static func shared(_ places: Places) -> SharedDropZone? {
        (try? SharedDropZone.open(places.machine, options: .init(), files: places.files)) ?? nil
    }

    private init(_ path: FilePath, from source: SettingSource) {
        self.path = path
        self.source = source
    }
}
