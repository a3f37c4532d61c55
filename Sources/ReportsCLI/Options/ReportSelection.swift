public import ArgumentParser
public import Reports

/// Which reports a command is about, by id or unique prefix.
struct ReportSelection: ParsableArguments {
    @Argument(help: ArgumentHelp("Ids, or unique prefixes of 6 or more digits.", valueName: "id"))
    var ids: [String] = []

    func resolved(_ inspector: SpoolInspector) throws -> [String] {
        try ids.map(inspector.resolve)
    }
}

extension ReportKind: ExpressibleByArgument {
    /// A kind as it is written on the command line.
    public init?(argument: String) { self.init(rawValue: argument) }

    /// For help and completion.
    public static var allValueStrings: [String] { all.map(\.rawValue) }
}
