import Background
import Synchronization

/// What the answers of a server have taught a destination for the rest of a run. Nothing of it is stored.
///
/// A change counts as learned once a request with it was delivered. Until then each attempt finds out by itself.
final class S3Memory: Sendable {
    struct Lessons: Sendable {
        /// From this machine's clock to the server's, in milliseconds.
        var clockOffset: Int64 = 0
        /// The region of the bucket, if it is not the one of the settings.
        var region: String?
        var sendsCondition = true
    }

    private let state = Mutex(Lessons())

    /// What counts for an attempt: the lessons, and the changes that were made in it.
    func lessons(_ attempt: AttemptContext) -> Lessons {
        var lessons = state.withLock(\.self)
        if let offset = attempt.value(of: Change.clockSort).flatMap({ Int64($0) }) { lessons.clockOffset = offset }
        if let region = attempt.value(of: Change.regionSort) { lessons.region = region }
        if attempt.has(.withoutCondition) { lessons.sendsCondition = false }
        return lessons
    }

    /// A report was delivered in this attempt.
    func learn(from attempt: AttemptContext) {
        guard !attempt.changes.isEmpty else { return }
        let lessons = lessons(attempt)
        state.withLock { $0 = lessons }
    }
}
