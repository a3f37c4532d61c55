import DurableIO

/// The order in which an owner enrols what producers have published: crashes first, the newest first, then the others.
///
/// Each name is held until it is handed out, and a name that is held is not added again. A value: it does not look into
/// entries.
struct EntryOrder {
    private var crashes: [(collectedAt: Int64, name: EntryName)] = []
    /// The next one last.
    private var others: [EntryName] = []
    private var held: Set<EntryName> = []

    /// More names are not held at once; the others are met at a later look.
    static let capacity = 100_000

    var count: Int { held.count }
    var isEmpty: Bool { held.isEmpty }

    /// Whether the name is not held yet, and there is room for it.
    func wants(_ name: EntryName) -> Bool { held.count < Self.capacity && !held.contains(name) }

    func holds(_ name: EntryName) -> Bool { held.contains(name) }

    /// Adds entries of which nothing is known but their names.
    mutating func add(_ names: [EntryName]) {
        others.insert(contentsOf: names.filter { held.insert($0).inserted }.sorted().reversed(), at: 0)
    }

    /// Adds crashes.
    mutating func add(crashes found: [(collectedAt: Int64, name: EntryName)]) {
        crashes += found.filter { held.insert($0.name).inserted }
        crashes.sort { ($0.collectedAt, $0.name) < ($1.collectedAt, $1.name) }
    }

    /// The next ones, which are held no longer. Crashes come without the others.
    mutating func next(_ count: Int) -> [EntryName] {
        let names: [EntryName]
        if crashes.isEmpty {
            names = Array(others.suffix(count).reversed())
            others.removeLast(names.count)
        } else {
            names = crashes.suffix(count).reversed().map(\.name)
            crashes.removeLast(names.count)
        }
        for name in names { held.remove(name) }
        return names
    }

    mutating func removeAll() { self = EntryOrder() }
}
