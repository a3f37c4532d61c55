public import ArgumentParser
public import Reports

/// Which reports or poisonous drops a command is about.
struct ReportSelection: ParsableArguments {
    @Argument(
        help: ArgumentHelp("Ids, or unique prefixes of 6 or more digits; or names of drops.", valueName: "id"),
        completion: ReportCompletion.movable)
    var ids: [String] = []
}

extension ReportKind: ExpressibleByArgument {
    /// A kind as it is written on the command line.
    public init?(argument: String) { self.init(rawValue: argument) }

    /// For help and completion.
    public static var allValueStrings: [String] { all.map(\.rawValue) }

    /// The words themselves: the parser knows them by itself only of enumerations.
    public static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
}
