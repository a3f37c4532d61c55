public import SystemPackage

extension Reporter {
    /// Makes a reporter with several destinations and checks its arguments. The first collect or submit makes a missing
    /// spool and its missing parent directories.
    ///
    /// ```swift
    /// let reporter = try Reporter(
    ///     spool: "/var/spool/shop",
    ///     destinations: [
    ///         "server": .http("https://diagnostics.example.com/reports/{id}"),
    ///         "dumps": .http("https://dumps.example.com/{id}.gz"),
    ///     ],
    ///     routes: [.to("dumps", formats: ["minidump", "elf-core"]), .hold(kinds: [.log])])
    /// ```
    /// Each report goes to one destination: to that of the first route that matches the report, else to the first
    /// destination. A destination that is dead or slow delays no other. The routes decide when a report is taken in, and
    /// again when a person retries it. When the routes have changed, they also decide again about reports that were
    /// never tried, about those that a route keeps, and about those of a destination that is no longer named.
    ///
    /// The names stand in the spool: `reports list` and `reports status` show them, and a report keeps the name of its
    /// destination when the destination's URL changes.
    /// - Parameters:
    ///   - path: The spool directory. The default, `nil`, is ``defaultSpool``.
    ///   - destinations: The destinations by their names, at least one. A name has 1 to 32 of `a-z`, `0-9` and `-`.
    ///     Reports that no route matches go to the first.
    ///   - routes: The rules that say which reports go where. The default is none: all go to the first destination.
    ///   - configuration: Limits and other settings. ``Configuration/connection`` counts for each destination that has
    ///     no ``Destination/connection`` of its own.
    /// - Throws: ``ReportsError`` when there is no destination, when a name is invalid or is given twice, when a route
    ///   leads to a destination that there is not, when a URL is invalid (each ``ReportsError/Code/badConfiguration``),
    ///   when ``Configuration/annotations`` break their bounds (``ReportsError/Code/badArgument``), or when the
    ///   directory at the path cannot be a spool of this version.
    public convenience init(
        spool path: FilePath? = nil, destinations: KeyValuePairs<String, Destination>, routes: [Route] = [],
        configuration: Configuration = Configuration()
    ) throws {
        let routing = try Routing(destinations.map { NamedDestination($0.key, $0.value) }, routes: routes)
        try routing.validate()
        try self.init(path, routing, configuration)
    }
}
