import CLinux
import Glibc

/// Tells of changes in directories as soon as they happen, and costs nothing while nothing happens.
///
/// A thread waits for the kernel's notes (inotify(7)). Whoever makes a watcher looks at the directories afterwards: what
/// came before the watcher was made is not told of. Where directories cannot be watched, the watcher tells every 2 s
/// that something may have happened, and tries again each minute. Also after the machine was asleep, or its clock was
/// set, it tells that something may have happened.
///
/// Nothing of a watcher outlives the process, and nothing has to.
package final class DirectoryWatcher: Sendable {
    /// How a watcher behaves where the kernel gives it nothing to wait for; tests set other values.
    package struct Settings: Sendable {
        /// How often it tells that something may have happened while directories cannot be watched, in milliseconds.
        /// The default is 2 s.
        package var pollInterval: Int32 = 2_000
        /// How often it tries again to watch them, in milliseconds. The default is a minute.
        package var retryInterval: Int64 = 60_000
        /// How many directories it watches at most, so that nobody's directories use up the user's watches. The default
        /// is 1,024.
        package var watchLimit = 1_024
        /// Called before an instance of inotify is opened; what it throws is the failure of the opening.
        package var willOpen: @Sendable () throws(FileSystemError) -> Void = { () throws(FileSystemError) in }
        /// What becomes readable when the machine wakes up; `nil` for the kernel's own alarm.
        package var wakeAlarm: SharedDescriptor?

        package init() {}
    }

    private let stopper: OwnedDescriptor

    /// Begins to watch. On return, each directory that can be watched is.
    /// - Parameters:
    ///   - directories: what to watch. A label names one directory only.
    ///   - files: by which the directories in them are listed.
    ///   - settings: for tests.
    ///   - onTrouble: gets what keeps directories from being watched, once, and `nil` when they are watched after all.
    ///   - onChange: gets the changes, on the watcher's thread. It has to return soon.
    /// - Throws: when there is no thread or no pipe to be had.
    package init(
        _ directories: [WatchedDirectory], files: any FileSystem, settings: Settings = Settings(),
        onTrouble: @escaping @Sendable (FileSystemError?) -> Void,
        onChange: @escaping @Sendable (WatchedChanges) -> Void
    ) throws(FileSystemError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw FileSystemError(.watch, "directories") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        stopper = OwnedDescriptor(adopting: ends[1], path: "pipe")
        let thread = WatcherThread(
            directories, files: files, settings: settings, stop: OwnedDescriptor(adopting: ends[0], path: "pipe"),
            onTrouble: onTrouble, onChange: onChange)
        try thread.start()
    }

    // Closing the pipe ends the thread.
}

/// The thread of a watcher, and all that it alone touches.
private final class WatcherThread: @unchecked Sendable {
    private let settings: DirectoryWatcher.Settings
    private let stop: OwnedDescriptor
    private let alarm: WakeAlarm?
    private let onTrouble: @Sendable (FileSystemError?) -> Void
    private let onChange: @Sendable (WatchedChanges) -> Void
    /// - Safety: used before the thread starts, and by the thread alone afterwards.
    private var watches: Watches
    private var isTroubled = false
    private var nextTry: Int64 = 0

    init(
        _ directories: [WatchedDirectory], files: any FileSystem, settings: DirectoryWatcher.Settings,
        stop: consuming OwnedDescriptor, onTrouble: @escaping @Sendable (FileSystemError?) -> Void,
        onChange: @escaping @Sendable (WatchedChanges) -> Void
    ) {
        self.settings = settings
        self.stop = stop
        self.onTrouble = onTrouble
        self.onChange = onChange
        alarm = WakeAlarm(settings.wakeAlarm)
        watches = Watches(directories, files: files, settings: settings)
        establish()
        tellTrouble()
    }

    func start() throws(FileSystemError) {
        let this = Unmanaged.passRetained(self)
        let error = clinux_start_thread(
            "reports-watch",
            { argument in
                guard let argument else { return }
                Unmanaged<WatcherThread>.fromOpaque(argument).takeRetainedValue().work()
            }, this.toOpaque())
        guard error == 0 else {
            this.release()
            throw FileSystemError(.watch, "directories", .init(rawValue: error))
        }
    }

    /// Watches what is not watched yet.
    private func establish() {
        watches.establish()
        nextTry = Self.now + settings.retryInterval
    }

    private func tellTrouble() {
        let wasTroubled = isTroubled
        isTroubled = watches.trouble != nil
        if isTroubled != wasTroubled { onTrouble(watches.trouble) }
    }

    private func work() {
        while true {
            var polled = [stop.raw, watches.descriptor, alarm?.descriptor ?? -1].map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            let count = poll(&polled, nfds_t(polled.count), isTroubled ? settings.pollInterval : -1)
            if polled[0].revents != 0 { return }
            var changes = WatchedChanges()
            if count <= 0 { changes.mayBeMore = true }
            if polled[2].revents != 0 {
                alarm?.acknowledge()
                changes.mayBeMore = true
            }
            if polled[1].revents != 0 { watches.read(into: &changes) }
            if isTroubled, Self.now >= nextTry {
                establish()
                changes.mayBeMore = true
            }
            tellTrouble()
            if !changes.isEmpty { onChange(changes) }
        }
    }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// Becomes readable when the machine has been asleep, or its wall clock was set.
private struct WakeAlarm {
    private let file: SharedDescriptor
    private let isKernels: Bool

    /// - Returns: `nil` where the kernel has no such alarm.
    init?(_ given: SharedDescriptor?) {
        isKernels = given == nil
        if let given {
            file = given
            return
        }
        let raw = clinux_open_wake_alarm()
        guard raw >= 0 else { return nil }
        file = SharedDescriptor(OwnedDescriptor(adopting: raw, path: "timerfd"))
    }

    var descriptor: Int32 { file.file.raw }

    func acknowledge() {
        if isKernels { return clinux_rearm_wake_alarm(descriptor) }
        var byte: UInt8 = 0
        _ = Glibc.read(descriptor, &byte, 1)
    }
}
