import Diagnosis
import DurableIO
import Reports
import SystemPackage

/// Files on their way in: prepared one by one, published in groups, a group while the next one is prepared.
struct Adding {
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

    /// Stores a file. A description without a name gets the file's.
    mutating func add(_ file: String, as description: ReportCollector.Description) async {
        // What is ready must not wait with it.
        if Input.mayWait(file) { await finish() }
        do {
            let pending = try prepare(file, description)
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

    private mutating func prepare(_ file: String, _ description: ReportCollector.Description) throws -> Pending {
        if file == "-" {
            try producer.checkSpace(for: 0, from: "standard input")
            let input = try StandardInput.open()
            let prepared = try producer.prepare(.file(input, facts: nil), as: description, from: "standard input")
            return Pending(prepared: prepared, file: file, source: nil)
        }
        let path = arguments.path(file)
        let opened = try PayloadFile.open(path, files: producer.room.files)
        try producer.checkSpace(for: opened.facts, from: file)
        var description = description
        description.name = description.name ?? PayloadFile.name(of: path)
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
final class DuplicateLooker {
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
