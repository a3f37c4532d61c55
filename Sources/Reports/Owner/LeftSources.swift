import Background
import DurableIO
import Synchronization

/// The drops and entries that an owner could not take in or could not unlink, with the reason for each of them.
///
/// The owner writes them into the ledger for readers, because some reasons are found only by trying, and readers do not
/// try. If the reason shows only after the owner has read the source, each owner tries the source once, not at each
/// look. Otherwise the owner would do nothing but read a drop of gigabytes that fails at its end.
final class LeftSources: Sendable {
    /// The reason why a source is still there.
    enum Cause: Sendable {
        /// The source was not taken in. The text says why, and what to do. Each look tries again.
        case notTaken(String)
        /// The source was not taken in after it was read as far as possible.
        case notCollected(String)
        /// The source waits for a person's order, which may come at any time.
        case poisonous(String)
        /// The source was taken in with this mark, and cannot be unlinked.
        case notUnlinked(String, mark: String)

        /// Whether the next owner may be able to take the source in.
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

    /// A source in its present version. A source that changes gets another key.
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
    /// The largest number of sources in the ledger. A person would never read more of them.
    private static let maximumWrittenCount = 1_000

    private struct State {
        /// The sources of the last complete look.
        var known: [Key: Cause] = [:]
        var found: [Key: Cause] = [:]
        /// The texts in the ledger; `nil` before the ledger was read.
        var written: [String: String]?
    }

    private let state = Mutex(State())

    /// Begins a look. A large drop is collected while looks go on. If its collecting fails between two looks, the
    /// reason stays known.
    func beginLook() {
        state.withLock { state in
            state.known = state.found
            state.found = [:]
        }
    }

    /// Records a source and its cause in the current look.
    /// - Returns: whether the cause is new since the last look.
    @discardableResult
    func note(_ key: Key, _ cause: Cause) -> Bool {
        state.withLock { state in
            state.found[key] = cause
            return state.known[key]?.text != cause.text
        }
    }

    /// Keeps the cause of a source that was left at an earlier look and has not been tried again since.
    func keep(_ key: Key) {
        state.withLock { state in
            if let cause = state.known[key], state.found[key] == nil { state.found[key] = cause }
        }
    }

    /// The cause found at the current look, or at the last one.
    func cause(of key: Key) -> Cause? { state.withLock { $0.found[key] ?? $0.known[key] } }

    /// Ends a look at all sources, and updates the ledger where the texts have changed.
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
