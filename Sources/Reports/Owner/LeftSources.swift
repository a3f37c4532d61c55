import Background
import DurableIO
import Synchronization

/// The drops and entries that an owner could not take in or could not unlink, each with its reason.
///
/// They are written into the ledger, because only trying tells some of the reasons, and readers do not try. A source
/// that has to be read for it is tried once in an owner's life, not at each look: a drop of gigabytes that fails at its
/// end would be all that the owner reads.
final class LeftSources: Sendable {
    /// Why a source still lies there.
    enum Cause: Sendable {
        /// It was not taken in; the text says why, and what to do. Each look tries again.
        case notTaken(String)
        /// It was not taken in after all of it was read, or as much as can be.
        case notCollected(String)
        /// It waits for a person, whose word may come at any time.
        case poisonous(String)
        /// It was taken in, with this mark, and cannot be unlinked.
        case notUnlinked(String, mark: String)

        /// Whether the next owner may well take it in.
        var isPassing: Bool {
            if case .notTaken = self { return true }
            return false
        }

        var text: String {
            switch self {
            case .notTaken(let reason), .notCollected(let reason), .poisonous(let reason): reason
            case .notUnlinked(let reason, _): reason
            }
        }
    }

    /// A source as it is now: one that changes is another.
    struct Key: Hashable, Sendable {
        let text: String

        init(_ path: String, _ facts: FileMetadata?) {
            self.init(path, version: facts.map { "\($0.inode)-\($0.size)-\($0.modified)" } ?? "")
        }

        init(_ path: String, inode: UInt64, size: UInt64, modified: Int64) {
            self.init(path, version: "\(inode)-\(size)-\(modified)")
        }

        private init(_ path: String, version: String) {
            text = LeftSources.prefix + path + "/" + version
        }
    }

    static let prefix = "left/"
    /// More are not written down: they would be told in nobody's lifetime.
    private static let maximumWrittenCount = 1_000

    private struct State {
        /// As of the last whole look.
        var known: [Key: Cause] = [:]
        var found: [Key: Cause] = [:]
        /// What the ledger holds; `nil` while nobody has looked.
        var written: [String: String]?
    }

    private let state = Mutex(State())

    func beginLook() {
        state.withLock { $0.found = [:] }
    }

    /// - Returns: whether it is news.
    @discardableResult
    func note(_ key: Key, _ cause: Cause) -> Bool {
        state.withLock { state in
            state.found[key] = cause
            return state.known[key]?.text != cause.text
        }
    }

    /// A source that was left at an earlier look still waits for its next try: its reason stays told.
    func keep(_ key: Key) {
        state.withLock { state in
            if let cause = state.known[key], state.found[key] == nil { state.found[key] = cause }
        }
    }

    /// Why it was left at the last look.
    func cause(of key: Key) -> Cause? { state.withLock { $0.found[key] ?? $0.known[key] } }

    /// Ends a look at everything, and brings the ledger up to date where that is needed.
    func endLook(_ queue: TransferQueue) async throws {
        let texts = state.withLock { state in
            state.known = state.found
            let texts = state.known.map { ($0.key.text, $0.value.text) }.sorted { $0 < $1 }
            return Dictionary(uniqueKeysWithValues: texts.prefix(Self.maximumWrittenCount))
        }
        var written = state.withLock(\.written)
        if written == nil { written = try await queue.look { try $0.memories(prefix: Self.prefix) } }
        if written != texts { try await queue.change { try $0.replaceMemories(prefix: Self.prefix, with: texts) } }
        state.withLock { $0.written = texts }
    }
}
