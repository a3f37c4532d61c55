/// What a document may have more of than a crash keeps.
extension [JSONValue] {
    /// The threads that are kept, each with its index: the first ones, and the first that is marked as the one at fault.
    func keptThreads(isMarked: (Int, JSONValue) -> Bool) -> [(index: Int, thread: JSONValue)] {
        let kept = self.prefix(Crash.Bounds.threadCount).enumerated().map { (index: $0.offset, thread: $0.element) }
        let marked = self.enumerated().first { isMarked($0.offset, $0.element) }
        guard let marked, marked.offset >= kept.count else { return kept }
        return kept.dropLast() + [(index: marked.offset, thread: marked.element)]
    }
}
