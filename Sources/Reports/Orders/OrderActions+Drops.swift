import Background
import DurableIO

/// Orders about poisonous drops: those that no owner collects any more, because processes died over them.
///
/// A drop that is no longer poisonous when its order is carried out is left alone: it is being collected, or is a
/// report already.
extension OrderActions {
    /// Has the next look collect a drop as if nothing had happened with it.
    /// - Returns: whether it lay there and was poisonous.
    func retry(_ place: DropPlace, remembering nonce: String? = nil) async throws -> Bool {
        let facts = try presentFacts(of: place)
        let mark = facts.map { SourceMark.of(taken: place.name, $0, in: place.room) }
        let reason = LeftSources.Key(place.path, facts).text
        return try await queue.change { store in
            if let nonce, try !store.consume(token: nonce) { return false }
            guard let mark, try store.queries.begunDrops()[mark]?.isPoisonous == true else { return false }
            try store.forget(drop: mark)
            // Else readers would be told of the reason until the next look has ended.
            try store.replaceMemories(prefix: reason, with: [:])
            return true
        }
    }

    /// Deletes a drop.
    ///
    /// Its row goes after the unlinking is durable, so that a drop which a power cut brings back is still poisonous,
    /// and the order still there.
    /// - Returns: whether it lay there and was poisonous.
    func remove(_ place: DropPlace, remembering nonce: String? = nil) async throws -> Bool {
        if let nonce, try await queue.look({ try $0.isConsumed(token: nonce) }) { return false }
        guard let facts = try presentFacts(of: place) else { return false }
        let mark = SourceMark.of(taken: place.name, facts, in: place.room)
        guard try await queue.look({ try $0.begunDrops()[mark]?.isPoisonous == true }) else { return false }
        // A crash from here on is no orderly end: the next owner forgets rows whose drops are gone.
        try await queue.begin()
        let zone = DropZone(spool: spool)
        let directory = try zone.directory(of: place.room)
        try zone.unlink(place.name.entry, in: directory)
        try spool.files.syncDirectory(directory)
        try await queue.change { store in
            if let nonce { _ = try store.consume(token: nonce) }
            try store.forget(drop: mark)
        }
        return true
    }

    /// All drops that are poisonous now.
    func poisonousDrops() async throws -> [DropPlace] {
        try DropZone(spool: spool).poisonousDrops(try await queue.look { try $0.begunDrops() })
    }

    private func presentFacts(of place: DropPlace) throws(FileSystemError) -> FileMetadata? {
        try spool.files.metadata(of: place.name.entry, in: DropZone(spool: spool).directory(of: place.room))
    }
}
