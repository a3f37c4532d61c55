import DurableIO

/// What a disk holds beside what a program sees: names as of the last sync of their directory, contents as of the last
/// sync of their file. All else is in memory and may be gone after a power cut.
///
/// A name that a later durable change needs became durable with it, and a rename is one change: after the cut there is
/// the old name or the new one, never neither and never both, as on a journaling file system. Changes of different
/// directories keep no order.
struct DiskModel: Sendable {
    /// A file or directory, whatever its names.
    typealias Identity = Int

    struct Name: Hashable, Sendable {
        let directory: Identity
        let entry: EntryName
    }

    /// What one call does to the names: creation, removal, or both at once.
    private struct Change: Sendable {
        let identity: Identity
        let removed: Name?
        let added: Name?

        var names: [Name] { [removed, added].compactMap { $0 } }

        func apply(to names: inout [Name: Identity]) {
            if let removed { names[removed] = nil }
            if let added { names[added] = identity }
        }
    }

    /// The directory everything is in; it is there already.
    static let root: Identity = 0

    private var nextIdentity = 1
    private var live: [Name: Identity] = [:]
    private var durable: [Name: Identity] = [:]
    private var pending: [Change] = []
    private var directoryNames: [Identity: String] = [root: ""]
    /// Contents as of the last sync; their number in a list that only grows.
    private var contents: [Identity: Int] = [:]

    // MARK: - What a program does

    mutating func make(_ name: Name, isDirectory: Bool) -> Identity {
        let identity = nextIdentity
        nextIdentity += 1
        if isDirectory { directoryNames[identity] = name.entry.description }
        note(Change(identity: identity, removed: nil, added: name))
        return identity
    }

    mutating func rename(_ name: Name, to newName: Name) {
        guard let identity = live[name] else { return }
        note(Change(identity: identity, removed: name, added: newName))
    }

    mutating func link(_ name: Name, to newName: Name) {
        guard let identity = live[name] else { return }
        note(Change(identity: identity, removed: nil, added: newName))
    }

    mutating func remove(_ name: Name) {
        guard let identity = live[name] else { return }
        note(Change(identity: identity, removed: name, added: nil))
    }

    private mutating func note(_ change: Change) {
        change.apply(to: &live)
        pending.append(change)
    }

    mutating func syncContents(of identity: Identity, number: Int) {
        contents[identity] = number
    }

    mutating func syncNames(in directory: Identity) {
        makeDurable { change in change.names.contains { $0.directory == directory } }
    }

    private mutating func makeDurable(_ isChosen: (Change) -> Bool) {
        let reached = closure { change, _ in isChosen(change) }
        for (change, isDurable) in zip(pending, reached) where isDurable { change.apply(to: &durable) }
        pending = zip(pending, reached).filter { !$0.1 }.map(\.0)
    }

    /// A program that the model does not see has synced the name.
    mutating func sync(_ name: Name) {
        makeDurable { change in change.names.contains(name) }
    }

    mutating func syncAllNames() {
        durable = live
        pending = []
    }

    /// All files that have a name now, with their paths.
    func files() -> [(path: String, identity: Identity)] {
        walk(live).files
    }

    /// The directory below the root that has this name now.
    func directory(named name: String) -> Identity? {
        EntryName(name).flatMap { live[Name(directory: Self.root, entry: $0)] }
    }

    /// The names that the files of a directory have now.
    func liveNames(in directory: Identity) -> [Identity: EntryName] {
        var names: [Identity: EntryName] = [:]
        for (name, identity) in live where name.directory == directory { names[identity] = name.entry }
        return names
    }

    /// The number of a file's contents as of its last sync.
    func contents(of identity: Identity) -> Int? { contents[identity] }

    func name(of directory: Identity) -> String { directoryNames[directory] ?? "" }

    /// The chosen changes and, of each name they are about, the earlier ones.
    private func closure(_ isChosen: (Change, Int) -> Bool) -> [Bool] {
        var names: Set<Name> = []
        var reached = [Bool](repeating: false, count: pending.count)
        for (index, change) in pending.enumerated().reversed()
        where isChosen(change, index) || change.names.contains(where: names.contains) {
            names.formUnion(change.names)
            reached[index] = true
        }
        return reached
    }

    // MARK: - What is left

    /// The tree after a cut.
    func tree(_ outcome: PowerCut.Outcome) -> (directories: Set<String>, files: [String: Identity]) {
        var names = durable
        for (change, hasArrived) in zip(pending, arrivals(outcome)) where hasArrived { change.apply(to: &names) }
        let found = walk(names)
        return (found.directories, Dictionary(found.files.map { ($0.path, $0.identity) }) { $1 })
    }

    private func walk(
        _ names: [Name: Identity]
    ) -> (directories: Set<String>, files: [(path: String, identity: Identity)]) {
        var below: [Identity: [(EntryName, Identity)]] = [:]
        for (name, identity) in names { below[name.directory, default: []].append((name.entry, identity)) }
        var directories: Set<String> = []
        var files: [(String, Identity)] = []
        var rest: [(path: String, identity: Identity)] = [("", Self.root)]
        while let (path, directory) = rest.popLast() {
            for (entry, identity) in below[directory] ?? [] {
                let path = path.isEmpty ? entry.description : "\(path)/\(entry)"
                if directoryNames[identity] != nil {
                    directories.insert(path)
                    rest.append((path, identity))
                } else {
                    files.append((path, identity))
                }
            }
        }
        return (directories, files)
    }

    private func arrivals(_ outcome: PowerCut.Outcome) -> [Bool] {
        switch outcome {
        case .none: return pending.map { _ in false }
        case .all: return pending.map { _ in true }
        case .directory(let wanted):
            return closure { change, _ in change.names.contains { name(of: $0.directory) == wanted } }
        case .some(let seed):
            var generator = SeededGenerator(seed: seed)
            let coins = pending.map { _ in Bool.random(using: &generator) }
            return closure { _, index in coins[index] }
        }
    }
}
