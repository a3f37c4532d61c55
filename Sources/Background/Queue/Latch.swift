import DurableIO

/// A latch that opens once, stays open, and lets every waiting task go on.
typealias Latch = Watched<Bool>

extension Watched<Bool> {
    convenience init() {
        self.init(false)
    }

    func open() { change { $0 = true } }

    /// Returns once the latch is open or the task is cancelled.
    func wait() async { await wait { $0 } }

    /// Returns when the latch is open, the time has passed, or the task is cancelled.
    func wait(atMost milliseconds: Int64, _ clock: any SystemClock) async {
        await wait {
            $0
        } orUntilEndOf: {
            try? await clock.sleep(milliseconds: milliseconds)
        }
    }
}
