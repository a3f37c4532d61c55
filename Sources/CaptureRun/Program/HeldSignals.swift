package import CLinux
import Glibc

/// The signals of this process, held back from the moment it starts a program, so that each can be looked at.
///
/// - Note: To be made on the main thread before there are others, which inherit what is blocked.
package struct HeldSignals: Sendable {
    /// Signals as they were when this process was started; programs find them so.
    package let found: clinux_signals
    /// Becomes readable when a signal has arrived; open as long as the process lives. -1 where there was no descriptor
    /// left: signals are held then, and cannot be taken.
    package let descriptor: Int32

    package init() {
        var found = clinux_signals()
        descriptor = clinux_hold_signals(&found)
        self.found = found
    }

    /// Takes all signals that have arrived.
    func taken() -> [clinux_signal] {
        var signals: [clinux_signal] = []
        var signal = clinux_signal()
        while clinux_next_signal(descriptor, &signal) == 1 { signals.append(signal) }
        return signals
    }

    /// Waits until a signal has arrived.
    /// - Parameter milliseconds: the longest wait; -1 for no bound.
    /// - Returns: whether one has.
    package func wait(milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }
}
