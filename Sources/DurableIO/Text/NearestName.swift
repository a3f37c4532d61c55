/// The name that somebody meant who wrote another.
package enum NearestName {
    /// - Returns: the one of `names` that a slip or two make of the word, the first of equally near ones; `nil` when
    ///   none is near.
    package static func of(_ word: some StringProtocol, among names: [String]) -> String? {
        let word = Array(word.lowercased().utf8)
        guard word.count <= 40 else { return nil }
        let distances = names.map { (name: $0, distance: distance(word, Array($0.lowercased().utf8))) }
        guard let nearest = distances.min(by: { $0.distance < $1.distance }) else { return nil }
        // Of short words nearly all are near each other.
        return nearest.distance <= min(max(word.count / 3, 1), 3) ? nearest.name : nil
    }

    /// How many letters are added, left out, changed, or exchanged with their neighbour.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var before: [Int] = []
        var last = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                let isSame = left[row] == right[column]
                var best = min(last[column + 1] + 1, current[column] + 1, last[column] + (isSame ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    best = min(best, before[column - 1] + 1)
                }
                current.append(best)
            }
            (before, last) = (last, current)
        }
        return last[right.count]
    }
}
