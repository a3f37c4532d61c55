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

        /// The text of a key without the version.
        static func unversioned(_ text: String) -> Substring { text[...(text.lastIndex(of: "/") ?? text.startIndex)] }

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
        /// When they were written last, on the boot clock in milliseconds.
        var writtenAt = Int64.min / 2
        /// What people were told, and when a look last found it still so.
        var news: [News: Int64] = [:]
    }

    private struct News: Hashable {
        let path: String
        let reason: String
    }

    private let state = Mutex(State())

    /// For how long a source must not have been found before people are told of it again, in milliseconds: 10 minutes.
    private static let newsTime: Int64 = 600_000
    /// How long the ledger may have the reason of an earlier version of a source, in milliseconds: 10 s. A program may
    /// change a source many times a second, and each time it cannot be taken for the same reason.
    private static let versionTime: Int64 = 10_000

    /// Begins a look. A large drop is collected while looks go on. If its collecting fails between two looks, the
    /// reason stays known.
    func beginLook() {
        state.withLock { state in
            state.known = state.found
            state.found = [:]
        }
    }

    /// Records a source and its cause in the current look.
    func note(_ key: Key, _ cause: Cause) {
        state.withLock { $0.found[key] = cause }
    }

    /// Records that a look has found a source left for this reason.
    /// - Parameters:
    ///   - reason: why it is left.
    ///   - path: where it lies in the spool.
    ///   - now: the time on the boot clock in milliseconds.
    /// - Returns: whether people have to be told. They were told already if the source has lain there since.
    func isNews(_ reason: String, of path: String, at now: Int64) -> Bool {
        state.withLock { state in
            let before = state.news.updateValue(now, forKey: News(path: path, reason: reason))
            return before.map { now - $0 > Self.newsTime } ?? true
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

    /// Ends a look at all sources, and updates the ledger where the texts have changed. If only the versions of sources
    /// have changed, a later look may update it.
    /// - Parameters:
    ///   - queue: has the ledger.
    ///   - now: the time on the boot clock in milliseconds.
    ///   - isLast: whether no look follows.
    /// - Throws: the errors of the ledger.
    func endLook(_ queue: TransferQueue, at now: Int64, isLast: Bool) async throws {
        let texts = state.withLock { state in
            state.known = state.found
            state.news = state.news.filter { now - $0.value <= Self.newsTime }
            let texts = state.known.map { ($0.key.text, $0.value.text) }.sorted { $0 < $1 }
            return Dictionary(uniqueKeysWithValues: texts.prefix(Self.maximumWrittenCount))
        }
        var (written, writtenAt) = state.withLock { ($0.written, $0.writtenAt) }
        if written == nil { written = try await queue.look { try $0.memories(prefix: Self.prefix) } }
        if let written, written != texts {
            let mayWait = !isLast && now - writtenAt < Self.versionTime
            if mayWait, Self.unversioned(written) == Self.unversioned(texts) { return }
            try await queue.change { try $0.replaceMemories(prefix: Self.prefix, with: texts) }
            writtenAt = now
        }
        state.withLock { ($0.written, $0.writtenAt) = (texts, writtenAt) }
    }

    private static func unversioned(_ texts: [String: String]) -> Set<News> {
        Set(texts.map { News(path: String(Key.unversioned($0.key)), reason: $0.value) })
    }
}
