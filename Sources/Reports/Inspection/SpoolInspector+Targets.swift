import Background
import DurableIO

/// What `retry` and `remove` are asked about.
extension SpoolInspector {
    /// What a word means to `retry` and `remove`: a report by its id or the beginning of it, else every poisonous drop
    /// of that name or path, as `list` and `doctor` show them.
    /// - Throws: ``ReportsError``: `noSuchReport`, also for a report without bytes; `badIdentifier` for a beginning
    ///   that fits several reports, for digits that are too few or too many, and for a name that several drops seem to
    ///   have.
    package func targets(of word: String, for action: Order.Action) throws -> [Order.Target] {
        let id: String
        do {
            id = try resolve(word)
        } catch let error as ReportsError {
            let isDigits = Self.isHexadecimal(word)
            let fitsSeveral = error.code == .badIdentifier && isDigits && Self.prefixLengths.contains(word.utf8.count)
            let places = fitsSeveral ? [] : try poisonousDrops(named: word)
            guard places.isEmpty else { return places.map { .drop($0) } }
            // Digits that are too few or too many are rather a slip in an id than the name of a drop.
            if error.code == .badIdentifier, isDigits { throw error }
            throw ReportsError(
                .noSuchReport,
                "there is no report \(Printable.text(word)), and no drop of that name with reason poison")
        }
        try requireBytes(id, for: action)
        return [.report(id)]
    }

    private func poisonousDrops(named word: String) throws -> [DropPlace] {
        let wanted = Array(word.utf8)
        func isMeant(_ text: String) -> Bool {
            Array(text.utf8) == wanted || Array(Printable.text(text).utf8) == wanted
        }
        let begun = try reader?.queries.begunDrops() ?? [:]
        let places = try DropZone(spool: spool).poisonousDrops(begun).filter { place in
            isMeant(place.path) || isMeant(place.name.dropped.description)
        }
        // What cannot be printed looks alike: nobody can have meant both.
        guard Set(places.map { [$0.name.dropped, $0.dropRoom?.name] }).count <= 1 else {
            throw ReportsError(
                .badIdentifier,
                "\(Printable.text(word)) matches drops of different names or rooms: "
                    + "give the path that 'reports doctor' shows")
        }
        return places
    }
}
