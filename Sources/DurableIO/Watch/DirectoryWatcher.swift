import CLinux
import Glibc

/// Tells of changes in directories as soon as they happen, and costs nothing while nothing happens.
///
/// A thread waits for the kernel's notes (inotify(7)). Whoever makes a watcher looks at the directories afterwards: what
/// came before the watcher was made is not told of. Where directories cannot be watched, the watcher tells every 2 s
/// that something may have happened, and tries again each minute. Also after the machine was asleep, or its clock was
/// set, it tells that something may have happened.
///
/// When any file system is mounted or unmounted, it looks 200 ms later which directories the names lead to: mounts come
/// in bursts. Every 15 minutes it does so in any case, and tells that something may have happened: some file systems
/// change without a note.
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
        /// How often it looks for directories that are to be watched, although no note tells of any, in milliseconds.
        /// The default is 15 minutes.
        package var lookInterval: Int64 = 900_000
        /// How many directories it watches at most, besides those that are only ``WatchedDirectory/Room/wanted``. The
        /// default is 1,024.
        package var watchLimit = 1_024
        /// How many rooms it watches at most that are only ``WatchedDirectory/Room/wanted``. The default is 512.
        package var wantedLimit = 512
        /// The same of each user, so that no user keeps the rooms of the others from being watched. The default is 128.
        package var wantedLimitOfUser = 128
        /// Called before an instance of inotify is opened; what it throws is the failure of the opening.
        package var willOpen: @Sendable () throws(FileSystemError) -> Void = { () throws(FileSystemError) in }
        /// How long mounts are gathered after the first one, in milliseconds. The default is 200 ms.
        package var mountGatheringTime: Int64 = 200
        /// Called before anything is made; what it throws, the making of the watcher throws.
        package var willBegin: @Sendable () throws(FileSystemError) -> Void = { () throws(FileSystemError) in }
        /// What becomes readable when the machine wakes up; `nil` for the kernel's own alarm.
        package var wakeAlarm: SharedDescriptor?
        /// What becomes readable when file systems are mounted or unmounted; `nil` for the kernel's own notes.
        package var mountNotes: SharedDescriptor?

        package init() {}
    }

    private let stopper: OwnedDescriptor

    /// Begins to watch. On return, each directory that can be watched is.
    /// - Parameters:
    ///   - directories: what to watch. A label names one directory only.
    ///   - files: by which the directories in them are listed.
    ///   - settings: for tests.
    ///   - onBegin: called once, on the watcher's thread, if nothing keeps directories from being watched at the
    ///     beginning. The default does nothing.
    ///   - onTrouble: gets what keeps directories from being watched, once, and `nil` when they are watched after all.
    ///   - onChange: gets the changes, on the watcher's thread. It has to return soon.
    /// - Throws: when there is no thread or no pipe to be had.
    package init(
        _ directories: [WatchedDirectory], files: any FileSystem, settings: Settings = Settings(),
        onBegin: @escaping @Sendable () -> Void = {},
        onTrouble: @escaping @Sendable (WatchTrouble?) -> Void,
        onChange: @escaping @Sendable (WatchedChanges) -> Void
    ) throws(FileSystemError) {
        try settings.willBegin()
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw FileSystemError(.watch, "directories") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        stopper = OwnedDescriptor(adopting: ends[1], path: "pipe")
        let thread = WatcherThread(
            directories, files: files, settings: settings, stop: OwnedDescriptor(adopting: ends[0], path: "pipe"),
            onBegin: onBegin, onTrouble: onTrouble, onChange: onChange)
        try thread.start()
    }

    // Closing the pipe ends the thread.
}

/// The thread of a watcher, and all that it alone touches.
private final class WatcherThread: @unchecked Sendable {
    private let settings: DirectoryWatcher.Settings
    private let stop: OwnedDescriptor
    private let alarm: WakeAlarm?
    private let mounts: MountNotes
    private let onBegin: @Sendable () -> Void
    private let onTrouble: @Sendable (WatchTrouble?) -> Void
    private let onChange: @Sendable (WatchedChanges) -> Void
    /// - Safety: used before the thread starts, and by the thread alone afterwards.
    private var watches: Watches
    private var isTroubled = false
    private var nextTry: Int64 = 0
    /// When it looks which directories are there since mounts have changed, on the boot clock in milliseconds.
    private var mountsDueAt: Int64?

    init(
        _ directories: [WatchedDirectory], files: any FileSystem, settings: DirectoryWatcher.Settings,
        stop: consuming OwnedDescriptor, onBegin: @escaping @Sendable () -> Void,
        onTrouble: @escaping @Sendable (WatchTrouble?) -> Void, onChange: @escaping @Sendable (WatchedChanges) -> Void
    ) {
        self.settings = settings
        self.stop = stop
        self.onBegin = onBegin
        self.onTrouble = onTrouble
        self.onChange = onChange
        alarm = WakeAlarm(settings.wakeAlarm)
        mounts = MountNotes(settings.mountNotes)
        watches = Watches(directories, files: files, settings: settings)
        // Whoever makes a watcher looks afterwards.
        var changes = WatchedChanges()
        establish(&changes)
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
    private func establish(_ changes: inout WatchedChanges) {
        watches.establish(&changes)
        nextTry = Self.now + settings.lookInterval
    }

    private func tellTrouble() {
        let wasTroubled = isTroubled
        isTroubled = watches.trouble != nil
        if isTroubled { nextTry = min(nextTry, Self.now + settings.retryInterval) }
        if isTroubled != wasTroubled { onTrouble(watches.trouble) }
    }

    private func work() {
        if !isTroubled { onBegin() }
        while true {
            var polled = [stop.raw, watches.descriptor, alarm?.descriptor ?? -1].map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            // While mounts are gathered, further ones do not matter.
            polled.append(
                pollfd(fd: mountsDueAt == nil ? mounts.descriptor : -1, events: mounts.events, revents: 0))
            let count = poll(&polled, nfds_t(polled.count), timeout)
            if polled[0].revents != 0 { return }
            var changes = WatchedChanges()
            if count < 0 || count == 0 && isTroubled { changes.mayBeMore = true }
            if polled[2].revents != 0 {
                alarm?.acknowledge()
                changes.mayBeMore = true
            }
            if polled[1].revents != 0 { watches.read(into: &changes) }
            if polled[3].revents != 0 { mountsDueAt = Self.now + settings.mountGatheringTime }
            lookAtMountsIfDue(&changes)
            if Self.now >= nextTry {
                establish(&changes)
                changes.mayBeMore = true
            }
            tellTrouble()
            if !changes.isEmpty { onChange(changes) }
        }
    }

    private func lookAtMountsIfDue(_ changes: inout WatchedChanges) {
        guard let dueAt = mountsDueAt, Self.now >= dueAt else { return }
        mountsDueAt = nil
        // Before the look, so that a later mount has a note of its own.
        mounts.acknowledge()
        changes.haveMountsChanged = true
        establish(&changes)
    }

    /// How long the thread waits at most, in milliseconds.
    private var timeout: Int32 {
        // What is left of a millisecond counts as a whole one.
        let untilTry = max(0, min(nextTry, mountsDueAt ?? .max) - Self.now) + 1
        return Int32(clamping: isTroubled ? min(untilTry, Int64(settings.pollInterval)) : untilTry)
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

/// What the kernel says about mounts: poll(2) finds `POLLPRI` once after file systems were mounted or unmounted in the
/// mount namespace of the process (proc(5)).
private struct MountNotes {
    private let file: SharedDescriptor?
    private let isKernels: Bool

    init(_ given: SharedDescriptor?) {
        isKernels = given == nil
        if let given {
            file = given
            return
        }
        let raw = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)
        file = raw < 0 ? nil : SharedDescriptor(OwnedDescriptor(adopting: raw, path: "mountinfo"))
    }

    /// -1 where there is no `/proc`.
    var descriptor: Int32 { file?.file.raw ?? -1 }

    /// What a poll waits for.
    var events: Int16 { Int16(isKernels ? POLLPRI : POLLIN) }

    /// Takes the notes that there are.
    func acknowledge() {
        if isKernels {
            var polled = pollfd(fd: descriptor, events: events, revents: 0)
            _ = poll(&polled, 1, 0)
        } else {
            var bytes = [UInt8](repeating: 0, count: 4_096)
            _ = Glibc.read(descriptor, &bytes, bytes.count)
        }
    }
}
