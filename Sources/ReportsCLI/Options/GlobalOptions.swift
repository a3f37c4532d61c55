import ArgumentParser
import DurableIO
import Reports
import SystemPackage

/// What every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The spool directory.",
            discussion: """
                Default: $REPORTS_SPOOL, else /var/lib/reports for root and its owner, where it is a spool, else \
                $XDG_STATE_HOME/reports, else ~/.local/state/reports.
                """,
            valueName: "dir"),
        completion: .directory)
    var spool: String?

    @Flag(name: .long, help: "Print JSON Lines: one object a line.")
    var json = false

    @Flag(
        name: .long,
        help: "Use a spool on a network file system, where locks and renames may not hold.")
    var forceRemote = false

    @Flag(
        name: .long,
        help: "Let every user of the machine drop files into incoming/; the spool remembers it.")
    var shared = false

    func validate() throws {
        if let spool, spool.isEmpty { throw ValidationError("--spool needs a directory.") }
    }

    /// Where the spool is, and what says so.
    func location() throws -> SpoolLocation {
        guard let location = SpoolLocation(option: spool) else {
            throw ReportsError(.badConfiguration, "there is no home directory: name the spool with --spool")
        }
        return location
    }

    func path() throws -> FilePath { try location().path }

    /// What is in force for this spool, with the options of a command.
    func settings(_ sending: SendingOptions? = nil) throws -> Settings {
        var sources = try Settings.Sources(spool: path())
        if let sending {
            sources.options = sending.given
            sources.headers = try HeaderSetting.given(sending.header)
        }
        return try settings(from: sources)
    }

    /// The limits and the annotations in force, for commands that send nothing.
    func spoolSettings() throws -> Settings {
        var sources = try Settings.Sources(spool: path())
        sources.isForSpoolAlone = true
        return try settings(from: sources)
    }

    /// Root reads the files that its command line and its environment name as root. Then it becomes the spool's owner
    /// and reads the rest, so that a file that the owner may not read is a fault for root, too.
    private func settings(from sources: Settings.Sources) throws -> Settings {
        let named = try NamedSettingsFile(sources)
        try actAsOwner()
        return try Settings(sources, named: named)
    }

    private func options(_ settings: Settings) -> ReportSpool.Options {
        var options = ReportSpool.Options()
        options.limits = settings.limits
        options.annotations = settings.annotationRules
        options.allowsRemoteFileSystem = forceRemote
        options.isShared = shared
        return options
    }

    /// The spool, made when it is missing.
    func openOrMake(_ settings: Settings) throws -> ReportSpool {
        try actAsOwner()
        guard let spool = try ReportSpool.open(path(), isCreating: true, options: options(settings)) else {
            throw ReportsError(.spoolNotUsable, "cannot make the spool \(try path())")
        }
        return spool
    }

    /// The drop zone of a spool that another user shares; `nil` when the spool is not such a one.
    func openShared(_ settings: Settings) throws -> SharedDropZone? {
        try SharedDropZone.open(path(), options: options(settings))
    }

    /// The spool; `nil` when nothing has made it yet. Makes nothing.
    /// - Throws: ``ReportsError/Code/noSuchFile`` when somebody named a directory that is not there: zeros would hide
    ///   that the name is wrong. An empty directory is rather one that was made for a spool, as unit files do.
    func openExisting(_ settings: Settings = Settings()) throws -> ReportSpool? {
        try actAsOwner()
        if let spool = try ReportSpool.open(path(), isCreating: false, options: options(settings)) { return spool }
        let location = try location()
        guard location.source != .standard, (try? POSIXFileSystem().openDirectory(location.path)) == nil else {
            return nil
        }
        throw ReportsError(
            .noSuchFile,
            "there is no spool at \(location.path), which \(location.source.description) names: correct the name, or "
                + "make the spool with 'reports add' or 'reports submit'")
    }

    /// That there is no spool where this command looks, and which spool the caller may have meant.
    func missingSpoolWords(_ command: String) throws -> String {
        let location = try location()
        let hint =
            location.sharedByMachine.map { machine in
                "; the machine's spool is \(machine), into which root and its owner may look: "
                    + "run 'sudo reports \(command)'"
            }
        return "there is no spool at \(location.path)" + (hint ?? "")
    }

    /// Says on standard error what a caller without a spool of his own may have meant, if the machine has a spool.
    func hintAtMachineSpool(for command: String) throws {
        guard try location().sharedByMachine != nil else { return }
        Console.complain(try missingSpoolWords(command))
    }

    /// Tells of what programs of root's have left in another user's spool. To be called by commands that write to the
    /// spool, before all else: the spool's owner, whom root becomes, may not look there.
    func tellOfRootsRuns(_ complain: (String) -> Void = Console.complain) throws {
        var options = ReportSpool.Options()
        options.allowsRemoteFileSystem = forceRemote
        try RootsRuns.tell(in: path(), options) { path, reason in
            complain("\(path): the end of its program cannot be told of: \(reason)")
        }
    }

    /// Root at another user's spool becomes that user first, so that nothing in it can lead root anywhere.
    private func actAsOwner() throws {
        guard UserIdentity.current == 0, let root = try? POSIXFileSystem().openDirectory(path()),
            let facts = try? POSIXFileSystem().metadata(of: root), facts.owner != 0
        else { return }
        try UserIdentity.become(user: facts.owner, group: facts.group)
    }

    /// The common options may stand before the command; the parser wants them behind it.
    /// - Throws: a usage error when there is no command.
    static func movedBehindCommand(_ arguments: [String]) throws -> [String] {
        var moved: [String] = []
        var rest = arguments[...]
        while let first = rest.first, first.hasPrefix("--") {
            if first == "--spool" {
                guard rest.count >= 2 else { throw ValidationError("Missing value for '--spool <dir>'.") }
                moved += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else if first.hasPrefix("--spool=") || ["--json", "--force-remote", "--shared"].contains(first) {
                moved.append(first)
                rest = rest.dropFirst()
            } else {
                break
            }
        }
        guard let command = rest.popFirst() else { throw ValidationError("Missing a command.") }
        return [command] + moved + rest
    }
}
