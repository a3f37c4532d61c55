import Background

/// The texts for people about a drop that was begun and is not finished.
extension BegunDrop {
    /// Whether so many processes died while it was collected that no owner collects it by itself any more.
    var isPoisonous: Bool { deaths >= PoisonPolicy.deathLimit }

    /// The number of unfinished tries from which on a person is told.
    private static let tellingTries = 2

    /// The facts about the drop, and the remedy. With `isUnderWay`, a living owner may be collecting the drop, so its
    /// last try has not ended.
    /// - Returns: the text; `nil` while a person has nothing to do.
    func note(isUnderWay: Bool) -> String? {
        if isPoisonous { return DropZone.poisonous(deaths: deaths) }
        let unfinished = isUnderWay ? tries - 1 : tries
        guard unfinished >= Self.tellingTries else { return nil }
        let cause = deaths > 0 ? ", and the program died in \(deaths) of these tries" : ""
        return "was begun \(unfinished) times and not finished\(cause): run submit without --deadline, or raise the "
            + "unit's time-out"
    }

    /// How the owner treats a drop that may have killed a process; `nil` for any other drop.
    var suspicion: String? {
        guard deaths > 0, !isPoisonous else { return nil }
        return "is collected last and alone, because the program died while it lay here "
            + "(\(deaths) of \(PoisonPolicy.deathLimit) times until it is left alone)"
    }
}
