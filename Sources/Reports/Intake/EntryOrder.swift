import DurableIO

/// The order in which an owner enrols the entries of producers: first the crashes, the newest crash first, then all
/// other entries.
///
/// The order holds the names of entries until it hands them out, and holds each name only once. It does not read the
/// entries.
struct EntryOrder {
    private var crashes: [(collectedAt: Int64, name: EntryName)] = []
    /// The names of all entries that are not known to be crashes. The last name is handed out next.
    private var others: [EntryName] = []
    private var held: Set<EntryName> = []

    /// The largest number of names that the order holds. Later looks find the other entries.
    static let capacity = 100_000

    var count: Int { held.count }
    var isEmpty: Bool { held.isEmpty }

    /// Whether the name is not held yet, and the order has room for it.
    func wants(_ name: EntryName) -> Bool { held.count < Self.capacity && !held.contains(name) }

    func holds(_ name: EntryName) -> Bool { held.contains(name) }

    /// Adds entries that the look has not read, so that only their names are known.
    mutating func add(_ names: [EntryName]) {
        others.insert(contentsOf: names.filter { held.insert($0).inserted }.sorted().reversed(), at: 0)
    }

    /// Adds entries that are crashes.
    mutating func add(crashes found: [(collectedAt: Int64, name: EntryName)]) {
        crashes += found.filter { held.insert($0.name).inserted }
        crashes.sort { ($0.collectedAt, $0.name) < ($1.collectedAt, $1.name) }
    }

    /// Hands out the next names, and no longer holds these names. Crashes and other entries are handed out in separate
    /// calls.
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
