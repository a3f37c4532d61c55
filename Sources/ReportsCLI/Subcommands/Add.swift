import ArgumentParser
import Diagnosis
import DurableIO
import Reports
import SystemPackage

/// `reports add`
struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Collects files into the spool; durable when it returns.",
        discussion: """
            Each file is compressed and stored under the SHA-256 of its content, so the same content twice is one \
            report. A bad file does not stop the others; the exit status is that of the first error.

            Every user of the machine may add to a spool that its owner shares (--shared). What another user has added \
            is stored in incoming/, where the owner's next submit finds it.

            Example:
              reports add core.1234 --kind crash --annotate version=2.1 --move
              journalctl -u shop -o export | reports add - --kind log --name shop.journal
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(
        help: ArgumentHelp("Files to collect; - is standard input.", valueName: "file"), completion: .file())
    var files: [String]

    @Option(
        name: .long,
        help: ArgumentHelp("The kind of report. Default: derived from the content.", valueName: "kind"))
    var kind: ReportKind?

    @Option(
        name: .long,
        help: ArgumentHelp("An annotation to send along, as key=value; may be repeated.", valueName: "key=value"))
    var annotate: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The name under which the report is listed. Default: the file's; none for standard input.",
            valueName: "name"))
    var name: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "When it happened. Default: what the content says, else when the file was changed last.",
            discussion: "RFC 3339 as 2026-11-28T06:00:00Z, a time or a date in UTC, or @SECONDS since 1970.",
            valueName: "time"))
    var occurredAt: String?

    @Flag(name: .long, help: "Delete each file once it is stored.")
    var move = false

    func validate() throws {
        guard name == nil || files.count <= 1 else {
            throw ValidationError("--name is for one file, and \(files.count) are given.")
        }
    }

    func run() async throws {
        Signals.endOnInterrupt()
        let description = try description()
        // A slip in the configuration must not cost the evidence: it is stored within the default limits, and without
        // the annotation that cannot be had.
        let settings = Result { try global.spoolSettings() }
        let (producer, looker) = try open((try? settings.get()) ?? Settings())
        warnOfFixed(description.annotations, producer.rules)
        var adding = Adding(producer: producer, looker: looker, isJSON: global.json, isMoving: move)
        for (index, file) in files.enumerated() {
            if files.count > 1 { Console.progress("adding \(index + 1) of \(files.count): \(file)") }
            await adding.add(file, as: description)
        }
        await adding.finish()
        Console.endProgress()
        if adding.hasStored, !looker.knowsServer { try hintAtMachineSpool() }
        let slip = tellSlips(settings, usesAnnotations: producer.usesSettings)
        if let status = adding.firstErrorStatus ?? slip.map(ExitStatus.of) { ExitStatus.leave(status) }
    }

    /// Says what is wrong in the configuration, and what that means for the reports.
    /// - Returns: the first fault.
    private func tellSlips(_ settings: Result<Settings, any Error>, usesAnnotations: Bool) -> ReportsError? {
        switch settings {
        case .failure(let error as ReportsError):
            let loss = usesAnnotations ? ", without the annotations of the settings" : ""
            Console.complain("\(error.message); stored within the default limits\(loss)")
            return error
        case .success(let settings) where usesAnnotations:
            for problem in settings.annotationProblems {
                Console.complain("\(problem.message); stored without this annotation")
            }
            return settings.annotationProblems.first
        case .failure, .success: return nil
        }
    }

    /// Says which of the annotations given here are not used.
    private func warnOfFixed(_ annotations: [String: String], _ rules: AnnotationRules) {
        for key in annotations.keys.sorted() where rules.isFixed(key) {
            Console.complain(
                "--annotate \(key) is not used: the settings fix this annotation, as 'reports settings' shows")
        }
    }

    /// Says where the reports are, if nobody has ever sent from there and the machine has a spool for every user.
    private func hintAtMachineSpool() throws {
        let location = try global.location()
        guard let machine = location.sharedByMachine else { return }
        Console.complain(
            "stored in \(location.path), which nobody sends unless you run 'reports submit'; "
                + "the machine's spool is \(machine): add with --spool \(machine)")
    }

    /// The spool, or the drop zone of one that another user shares.
    private func open(_ settings: Settings) throws -> (ReportProducer, DuplicateLooker) {
        if let zone = try global.openShared(settings) {
            return (ReportProducer(zone: zone), DuplicateLooker(spool: nil))
        }
        let spool = try global.openOrMake(settings)
        return (ReportProducer(spool: spool), DuplicateLooker(spool: spool))
    }

    /// What the options say of each file.
    private func description() throws -> ReportCollector.Description {
        var description = ReportCollector.Description(kind: kind, annotations: try parsedAnnotations())
        description.occurredAt = try occurredAt.map(Self.occurredMilliseconds)
        guard let name else { return description }
        description.name = ReportName.safe(RawArguments().bytes(of: name, option: "--name"))
        guard description.name != nil else {
            throw ReportsError(.badArgument, "--name \"\(Printable.text(name))\" is no name that a file can have")
        }
        return description
    }

    /// A clock of another machine may be ahead of this one, but not by more than this.
    private static let toleratedMilliseconds: Int64 = 60_000

    private static func occurredMilliseconds(_ text: String) throws -> Int64 {
        func problem(_ words: String) -> ReportsError {
            ReportsError(.badArgument, "--occurred-at \"\(QuotedText(text, limit: 80))\": \(words)")
        }
        guard let time = Moment.milliseconds(text) else { throw problem("expected \(Moment.expectation)") }
        guard time > 0 else { throw problem("is not after the beginning of 1970") }
        guard time <= LinuxClock().wallMilliseconds + toleratedMilliseconds else {
            throw problem("is in the future")
        }
        return time
    }

    private func parsedAnnotations() throws -> [String: String] {
        var annotations: [String: String] = [:]
        for pair in annotate {
            guard let mark = pair.firstIndex(of: "=") else {
                throw ReportsError(.badArgument, "--annotate \(Printable.text(pair)): write key=value")
            }
            annotations[String(pair[..<mark])] = String(pair[pair.index(after: mark)...])
        }
        try Annotations.validate(annotations)
        return annotations
    }
}
