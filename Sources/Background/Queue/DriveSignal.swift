import DurableIO

/// How soon the queue has to take its next turn.
package enum Wake: Comparable, Sendable {
    case none
    /// After further events or after a few milliseconds, so that one commit serves several ended attempts.
    case soon
    case now
}

/// A signal from the tasks that make attempts to the one task that drives the queue.
///
/// A drive is one call of ``TransferQueue/drive(_:isExplicit:until:deadline:)``. Raising the signal never waits. A
/// raised signal stays raised until the drive lowers it. The drive does so at the beginning of each turn, before it
/// reads the plan. A cancelled wait leaves the signal as it is.
final class DriveSignal: Sendable {
    private let wake = Watched(Wake.none)

    func raise(_ wake: Wake) {
        self.wake.change { $0 = max($0, wake) }
    }

    func lower() {
        wake.change { $0 = .none }
    }

    /// Returns when the signal has been raised since ``lower()``, or the task is cancelled.
    func wait() async {
        await wake.wait { $0 >= .soon }
    }

    /// Returns when the signal has been raised, the time has passed, or the task is cancelled.
    func wait(atMost milliseconds: Int64, clock: any SystemClock) async {
        await wake.wait {
            $0 >= .soon
        } orUntilEndOf: {
            try? await clock.sleep(milliseconds: milliseconds)
        }
    }

    /// Waits for further events, until the signal asks for a turn now or the time has passed.
    ///
    /// The time is real time, also in tests that inject a clock.
    func gather(atMost time: Duration) async {
        guard time > .zero, wake.state == .soon else { return }
        await wake.wait {
            $0 >= .now
        } orUntilEndOf: {
            try? await SleepAlarm.sleep(for: time)
        }
    }
}
