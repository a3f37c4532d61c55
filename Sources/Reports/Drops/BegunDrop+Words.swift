import Background

/// What is said of a drop that was begun and is not finished, in words for people.
extension BegunDrop {
    /// Whether so many processes died while it was collected that no owner collects it by itself any more.
    var isPoisonous: Bool { deaths >= PoisonPolicy.deathLimit }

    /// From so many tries on a person is told.
    private static let tellingTries = 2

    /// What is to be known and done, for a drop that a living owner may be collecting: then its last try has not ended.
    /// - Returns: `nil` while there is nothing to be done.
    func note(isUnderWay: Bool) -> String? {
        if isPoisonous { return DropZone.poisonous(deaths: deaths) }
        let unfinished = isUnderWay ? tries - 1 : tries
        guard unfinished >= Self.tellingTries else { return nil }
        let cause = deaths > 0 ? ", and the program died in \(deaths) of these tries" : ""
        return "was begun \(unfinished) times and not finished\(cause): run submit without --deadline, or raise the "
            + "unit's time-out"
    }

    /// How the owner treats a drop that may be what killed a process; `nil` for any other.
    var suspicion: String? {
        guard deaths > 0, !isPoisonous else { return nil }
        return "is collected last and alone, because the program died while it lay here "
            + "(\(deaths) of \(PoisonPolicy.deathLimit) times until it is left alone)"
    }
}
