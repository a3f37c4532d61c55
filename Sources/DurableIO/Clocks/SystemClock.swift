import Glibc

/// The clocks a schedule needs, and a way to wait: a seam, so that tests can move time.
package protocol SystemClock: Sendable {
    /// Wall-clock time in milliseconds since the epoch. May jump either way.
    var wallMilliseconds: Int64 { get }
    /// Milliseconds since the machine started, time asleep included (`CLOCK_BOOTTIME`). Never goes back.
    var bootMilliseconds: Int64 { get }
    /// Milliseconds that the machine was awake since it started (`CLOCK_MONOTONIC`). Tells how long work took, where a
    /// sleep of the machine in its midst is no work.
    var awakeMilliseconds: Int64 { get }
    /// Changes with each start of the machine.
    var bootID: String { get }
    /// Returns after the time has passed, or throws `CancellationError`.
    func sleep(milliseconds: Int64) async throws
}

/// The machine's clocks.
package struct LinuxClock: SystemClock {
    package let bootID: String

    package init() {
        bootID = Self.readBootID()
    }

    package var wallMilliseconds: Int64 { Self.milliseconds(CLOCK_REALTIME) }
    package var bootMilliseconds: Int64 { Self.milliseconds(CLOCK_BOOTTIME) }
    package var awakeMilliseconds: Int64 { Self.milliseconds(CLOCK_MONOTONIC) }

    package func sleep(milliseconds: Int64) async throws {
        // Saturated at a day: every caller waits in a loop.
        let bounded = min(max(0, milliseconds), 86_400_000)
        try await SleepAlarm.sleep(for: .milliseconds(bounded))
    }

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    private static func readBootID() -> String {
        let path = "/proc/sys/kernel/random/boot_id"
        let raw = open(path, O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { return "unknown" }
        let file = OwnedDescriptor(adopting: raw, path: path)
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = Glibc.read(file.raw, &bytes, 64)
        // 36 characters and a newline.
        return String(decoding: bytes.prefix(max(0, min(count, 36))), as: UTF8.self)
    }
}
