import Dispatch
import Foundation
import Synchronization

/// What the store knows about one report: the content of `<id>.json` and one entry of the list.
///
/// It never has the name of a file on the reporter's machine, because reporters do not send one.
struct StoredReport: Codable, Sendable {
    var id: String
    var kind: String?
    var contentType: String
    /// The length of the payload, in bytes.
    var size: Int
    /// The length of the body that brought it first, in bytes.
    var wireSize: Int
    /// When the reporter took it in, as it says.
    var collectedAt: String?
    var annotations: [String: String]
    var userAgent: String?
    /// How often it has arrived whole; it is stored once.
    var received: Int
    var firstReceivedAt: String
    var lastReceivedAt: String

    private enum CodingKeys: String, CodingKey {
        case id
        case kind
        case contentType = "content_type"
        case size
        case wireSize = "wire_size"
        case collectedAt = "collected_at"
        case annotations
        case userAgent = "user_agent"
        case received
        case firstReceivedAt = "first_received_at"
        case lastReceivedAt = "last_received_at"
    }
}

/// A directory of reports: the payload in `<id>`, what is known about it in `<id>.json`.
///
/// A report is there when both files are. Once `commit` has returned it survives a crash and a power cut; a crash
/// before that leaves a file beginning with `.incoming-`, which the next start removes. One process at a time has it.
final class ReportStore: Sendable {
    struct Outcome: Sendable {
        var report: StoredReport
        var isNew: Bool
    }

    private let directory: String
    private let directoryDescriptor: Int32
    private let index: Mutex<[String: StoredReport]>
    /// Commits happen here, one after the other, so that two arrivals of one id are counted as two.
    private let commits = DispatchQueue(label: "collector.store.commits")

    /// - Throws: `StorageError` when the directory cannot be used or another process has it.
    init(directory: String) throws {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StorageError("open", directory) }
        self.directory = directory
        directoryDescriptor = descriptor
        index = Mutex([:])
        // Released by the kernel however this process ends.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw StorageError("lock", directory) }
        try load()
    }

    deinit {
        close(directoryDescriptor)
    }

    static func isIdentifier(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    }

    func payloadPath(_ id: String) -> String { "\(directory)/\(id)" }

    func report(_ id: String) -> StoredReport? {
        index.withLock { $0[id] }
    }

    /// All reports, in the order of their first arrival.
    func reports() -> [StoredReport] {
        index.withLock { Array($0.values) }.sorted { ($0.firstReceivedAt, $0.id) < ($1.firstReceivedAt, $1.id) }
    }

    func makeTemporaryFile() throws -> TemporaryFile {
        try TemporaryFile(path: "\(directory)/\(Self.temporaryPrefix)\(UUID().uuidString)")
    }

    /// Makes a checked payload part of the store, or counts it when the store has it already.
    ///
    /// - Throws: `StorageError`; the report is then not acknowledged, and its reporter sends it again.
    func commit(_ file: TemporaryFile, as report: StoredReport) async throws -> Outcome {
        // A queue and not the task's thread: there are as many of those as cores, and fsync waits for the disk.
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                do {
                    try file.synchronize()
                } catch {
                    return continuation.resume(throwing: error)
                }
                self.commits.async {
                    continuation.resume(with: Result { try self.commitInOrder(file, as: report) })
                }
            }
        }
    }

    private static let temporaryPrefix = ".incoming-"

    private func commitInOrder(_ file: TemporaryFile, as report: StoredReport) throws -> Outcome {
        var outcome = Outcome(report: report, isNew: true)
        if var known = self.report(report.id) {
            known.received += 1
            known.lastReceivedAt = report.lastReceivedAt
            outcome = Outcome(report: known, isNew: false)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let metadata = try makeTemporaryFile()
        try encoder.encode(outcome.report).withUnsafeBytes { try metadata.write($0) }
        try metadata.synchronize()
        try metadata.rename(to: "\(payloadPath(report.id)).json")
        if outcome.isNew {
            try file.rename(to: payloadPath(report.id))
        }
        guard fsync(directoryDescriptor) == 0 else { throw StorageError("fsync", directory) }
        index.withLock { $0[report.id] = outcome.report }
        return outcome
    }

    /// Reads what an earlier run has stored and removes what it did not finish.
    private func load() throws {
        let names = try Set(FileManager.default.contentsOfDirectory(atPath: directory))
        var known: [String: StoredReport] = [:]
        for name in names {
            if name.hasPrefix(Self.temporaryPrefix) {
                unlink("\(directory)/\(name)")
            } else if Self.isIdentifier(name), names.contains("\(name).json") {
                let metadata = try Data(contentsOf: URL(fileURLWithPath: "\(payloadPath(name)).json"))
                known[name] = try JSONDecoder().decode(StoredReport.self, from: metadata)
            }
        }
        index.withLock { $0 = known }
    }
}

/// A file in the store that is being written; it goes away with its last reference unless it has been renamed.
final class TemporaryFile: Sendable {
    private let path: String
    private let descriptor: Int32

    init(path: String) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StorageError("create", path) }
    }

    deinit {
        // Nothing to do about a failure: synchronize() has reported what matters, and the next start cleans up.
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(path)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw StorageError("write", path) }
            rest = rest.dropFirst(count)
        }
    }

    func synchronize() throws {
        guard fsync(descriptor) == 0 else { throw StorageError("fsync", path) }
    }

    func rename(to destination: String) throws {
        guard Foundation.rename(path, destination) == 0 else { throw StorageError("rename", destination) }
    }
}

/// A system call of the store that failed, with the `errno` it left.
struct StorageError: Error, CustomStringConvertible {
    let operation: String
    let path: String
    let errorNumber: Int32

    /// Reads `errno`, and so must come directly after the call.
    init(_ operation: String, _ path: String) {
        errorNumber = errno
        self.operation = operation
        self.path = path
    }

    var isDiskFull: Bool { errorNumber == ENOSPC || errorNumber == EDQUOT }

    var description: String { "\(operation) \(path): \(String(cString: strerror(errorNumber)))" }
}
