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
              journalctl -u shop -o export | reports add - --kind log
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

    @Flag(name: .long, help: "Delete each file once it is stored.")
    var move = false

    func run() async throws {
        Signals.endOnInterrupt()
        let annotations = try parsedAnnotations()
        // A slip in the configuration must not cost the evidence: it is stored within the default limits.
        let limits = Result { try global.limits() }
        let (producer, looker) = try open((try? limits.get()) ?? SpoolLimits())
        var adding = Adding(producer: producer, looker: looker, isJSON: global.json, isMoving: move)
        for (index, file) in files.enumerated() {
            if files.count > 1 { Console.progress("adding \(index + 1) of \(files.count): \(file)") }
            await adding.add(file, kind: kind, annotations: annotations)
        }
        await adding.finish()
        Console.endProgress()
        if adding.hasStored, !looker.knowsServer { try hintAtMachineSpool() }
        if case .failure(let error as ReportsError) = limits {
            Console.complain("\(error.message); stored within the default limits")
            ExitStatus.leave(adding.firstErrorStatus ?? ExitStatus.of(error))
        }
        if let status = adding.firstErrorStatus { ExitStatus.leave(status) }
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
    private func open(_ limits: SpoolLimits) throws -> (ReportProducer, DuplicateLooker) {
        if let zone = try global.openShared(limits) { return (ReportProducer(zone: zone), DuplicateLooker(spool: nil)) }
        let spool = try global.openOrMake(limits)
        return (ReportProducer(spool: spool), DuplicateLooker(spool: spool))
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

/// Files on their way in: prepared one by one, published in groups, a group while the next one is prepared.
private struct Adding {
    let producer: ReportProducer
    let looker: DuplicateLooker
    let isJSON: Bool
    let isMoving: Bool
    private(set) var firstErrorStatus: Int32?
    private(set) var hasStored = false
    private var group: [Pending] = []
    private var groupStart: Int64 = 0
    /// The group before.
    private var publishing: Task<Result<[Pending], ReportsError>, Never>?
    private var arguments = RawArguments()

    /// - Safety: whoever prepared it hands it over, and takes it back when it is published.
    private struct Pending: @unchecked Sendable {
        let prepared: ReportProducer.Prepared
        let file: String
        /// `nil` for what is no file that could be deleted.
        let source: (path: FilePath, facts: FileMetadata)?
    }

    private static let groupCount = 100
    private static let groupMilliseconds: Int64 = 200

    init(producer: ReportProducer, looker: DuplicateLooker, isJSON: Bool, isMoving: Bool) {
        self.producer = producer
        self.looker = looker
        self.isJSON = isJSON
        self.isMoving = isMoving
    }

    mutating func add(_ file: String, kind: ReportKind?, annotations: [String: String]) async {
        // What is ready must not wait with it.
        if Input.mayWait(file) { await finish() }
        do {
            let pending = try prepare(file, kind, annotations)
            if group.isEmpty { groupStart = producer.room.clock.bootMilliseconds }
            group.append(pending)
        } catch let error as ReportsError {
            fail(error)
        } catch {
            // Nobody cancels this command but by ending it.
            fail(ReportsError(.cannotWrite, "\(file): \(error)"))
        }
        let age = producer.room.clock.bootMilliseconds - groupStart
        if group.count >= Self.groupCount || age >= Self.groupMilliseconds { await storePrepared() }
    }

    /// Returns when all that is ready is durable, and told.
    mutating func finish() async {
        await storePrepared()
        await tellPublished()
    }

    private mutating func prepare(
        _ file: String, _ kind: ReportKind?, _ annotations: [String: String]
    ) throws -> Pending {
        var description = ReportCollector.Description(kind: kind, annotations: annotations)
        if file == "-" {
            try producer.checkSpace(for: 0, from: "standard input")
            let input = try StandardInput.open()
            let prepared = try producer.prepare(.file(input, facts: nil), as: description, from: "standard input")
            return Pending(prepared: prepared, file: file, source: nil)
        }
        let path = arguments.path(file)
        let opened = try PayloadFile.open(path, files: producer.room.files)
        try producer.checkSpace(for: opened.facts, from: file)
        description.name = PayloadFile.name(of: path)
        let facts = opened.facts
        let prepared = try producer.prepare(opened.source(), as: description, from: file)
        return Pending(prepared: prepared, file: file, source: facts.map { (path, $0) })
    }

    /// Begins to make the group durable, once the one before is.
    private mutating func storePrepared() async {
        await tellPublished()
        guard !group.isEmpty else { return }
        let pending = group
        group = []
        publishing = Task { [producer] in
            do throws(ReportsError) {
                try producer.store(pending.map(\.prepared))
                return .success(pending)
            } catch {
                return .failure(error)
            }
        }
    }

    /// Speaks of a group only when it is durable.
    private mutating func tellPublished() async {
        guard let result = await publishing?.value else { return }
        publishing = nil
        switch result {
        case .failure(let error): fail(error)
        case .success(let pending):
            for one in pending {
                tell(one)
                if isMoving, let source = one.source { removeSource(source, one.file) }
            }
        }
    }

    private mutating func tell(_ pending: Pending) {
        hasStored = true
        let report = pending.prepared.report
        let isDuplicate = looker.isDuplicate(report.id.hex)
        guard isJSON else {
            let snapshot = report.properties.isSnapshot ? "  (a snapshot: the file grew meanwhile)" : ""
            let note = (isDuplicate == true ? "  (known, counted)" : "") + snapshot
            Console.endProgress()
            return Console.print("\(report.id.hex)  \(Printable.text(report.properties.summary))\(note)")
        }
        var object = JSONObject()
        object["id"] = .string(report.id.hex)
        object["duplicate"] = JSONValue(isDuplicate)
        object["size"] = JSONValue(report.size)
        object["compressed_size"] = JSONValue(report.wireSize)
        object["kind"] = .string(report.properties.kind.rawValue)
        object["snapshot"] = .bool(report.properties.isSnapshot)
        Console.print(object)
    }

    /// Deletes what was stored, and nothing that came after it.
    private mutating func removeSource(_ source: (path: FilePath, facts: FileMetadata), _ file: String) {
        let files = producer.room.files
        let now = try? files.metadata(of: files.openFile(source.path))
        guard let now, now.isSameContent(as: source.facts) else {
            return fail(ReportsError(.badPayload, "\(file): is stored, but has changed since and was not deleted"))
        }
        guard !FileRemoval.remove(source.path) else { return }
        fail(ReportsError(.cannotWrite, "\(file): is stored, but cannot be deleted"))
    }

    private mutating func fail(_ error: ReportsError) {
        Console.endProgress()
        Console.complain(error.message)
        firstErrorStatus = firstErrorStatus ?? ExitStatus.of(error)
    }
}

/// Whether a report was known before, as far as looking can tell.
private final class DuplicateLooker {
    private let inspector: SpoolInspector?
    /// What waits for the owner to enrol it, and what this command adds.
    private var added: Set<String>

    /// - Parameter spool: `nil` for one that this user may not look into.
    init(spool: ReportSpool?) {
        inspector = try? spool.map { try SpoolInspector(spool: $0) }
        added = (try? inspector?.publishedIdentifiers()) ?? []
    }

    /// Whether a submit has ever had an endpoint for this spool.
    var knowsServer: Bool { inspector?.knowsServer ?? false }

    /// - Returns: `nil` when the ledger cannot be read.
    func isDuplicate(_ id: String) -> Bool? {
        let isFirst = added.insert(id).inserted
        guard let inspector, inspector.ledgerProblem == nil else { return isFirst ? nil : true }
        return !isFirst || inspector.isKnown(id)
    }
}
