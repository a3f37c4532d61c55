import CLinux
import Glibc

/// The package's own threads, for work that waits for a disk or computes for long.
///
/// A program has as many threads for its tasks as cores. A commit that waits for the disk, or a payload of a gigabyte
/// that is compressed, would hold one of them for milliseconds or seconds, and the program's other tasks would wait. So
/// each public function that does such work calls ``run(_:isolation:)``. Child tasks and actors follow their task onto
/// these threads; a task made with `Task` does not, and has to name ``current`` or ``shared``. The tool calls the same
/// code without ``run(_:isolation:)``: nobody else needs its threads, so none of these is started.
///
/// A thread is started when work comes and no thread is idle, until there is one more than the process has cores. It
/// ends after 5 s without work. None keeps the process from ending.
package final class OwnThreads: TaskExecutor, @unchecked Sendable {
    package static let shared = OwnThreads(limit: coreCount + 1)

    /// Threads for reading what may stand still for as long as another program likes, as a pipe does: these must not
    /// be the threads that commits and transfers need.
    package static let forPipes = OwnThreads(limit: 16)

    /// How many cores the process may use.
    package static let coreCount = Int(clinux_core_count())

    /// Stands in for all of these threads in a task and its children: an executor that says by itself what runs when.
    /// `nil`, as in every program, for none.
    @TaskLocal package static var standIn: (any TaskExecutor)?

    /// What the threads are called; Linux shows at most 15 bytes.
    package static let name = "reports-work"

    private let limit: Int
    private let idleSeconds: Int
    /// - Safety: neither is moved. The variables below are touched only by who has locked the mutex.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// In their order; those before `next` are gone.
    private var jobs: [UnownedJob] = []
    private var next = 0
    private var threadCount = 0
    private var idleCount = 0

    /// - Parameters:
    ///   - limit: how many threads there are at most.
    ///   - idleSeconds: how long a thread waits for work before it ends. The default is 5 s.
    package init(limit: Int, idleSeconds: Int = 5) {
        self.limit = limit
        self.idleSeconds = idleSeconds
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// How many threads there are.
    package var count: Int {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return threadCount
    }

    /// Runs a body, and the child tasks and actors that it calls, on the package's own threads.
    ///
    /// A body that an actor hands over begins where the actor runs: there it has to call a function that is not
    /// isolated.
    package static func run<Result, Failure: Error>(
        on threads: OwnThreads = shared, _ body: () async throws(Failure) -> Result,
        isolation: isolated (any Actor)? = #isolation
    ) async throws(Failure) -> Result {
        try await withTaskExecutorPreference(standIn ?? threads, operation: body)
    }

    /// Runs a caller's own function where the caller's code runs: what that does with its thread, and how long, is not
    /// known.
    package static func leave<Result>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
    ) async rethrows -> Result {
        guard standIn == nil, current != nil else { return try await body() }
        return try await withTaskExecutorPreference(globalConcurrentExecutor, operation: body)
    }

    /// What an unstructured task has to prefer in order to run where its maker runs; `nil` outside of
    /// ``run(_:isolation:)``.
    package static var current: (any TaskExecutor)? {
        if let standIn { return standIn }
        let preferred = withUnsafeCurrentTask { $0?.unownedTaskExecutor }
        return preferred == shared.asUnownedTaskExecutor() ? shared : nil
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        guard accept(job) else { return globalConcurrentExecutor.enqueue(ExecutorJob(job)) }
    }

    /// Takes a job that was meant for the program's own threads.
    /// - Returns: `false` where there is no thread and none can be started.
    package func accepts(_ job: UnownedJob) -> Bool { accept(job) }

    /// - Returns: `false` where there is no thread and none can be started: then the program's own have to do.
    private func accept(_ job: UnownedJob) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        // An idle thread that was called for an earlier job counts as idle until it has taken that job.
        if jobs.count - next < idleCount {
            pthread_cond_signal(condition)
        } else if threadCount < limit, !startThread(), threadCount == 0 {
            return false
        }
        jobs.append(job)
        return true
    }

    private func startThread() -> Bool {
        let this = Unmanaged.passRetained(self)
        let error = clinux_start_thread(
            Self.name,
            { argument in
                guard let argument else { return }
                Unmanaged<OwnThreads>.fromOpaque(argument).takeRetainedValue().work()
            }, this.toOpaque())
        guard error == 0 else {
            this.release()
            return false
        }
        threadCount += 1
        return true
    }

    private func work() {
        pthread_mutex_lock(mutex)
        while let job = nextJob() {
            pthread_mutex_unlock(mutex)
            job.runSynchronously(on: asUnownedTaskExecutor())
            pthread_mutex_lock(mutex)
        }
        threadCount -= 1
        pthread_mutex_unlock(mutex)
    }

    /// Waits for a job.
    /// - Returns: `nil` when the thread has been idle for long enough.
    private func nextJob() -> UnownedJob? {
        var end = timespec()
        clock_gettime(CLOCK_MONOTONIC, &end)
        end.tv_sec += idleSeconds
        idleCount += 1
        defer { idleCount -= 1 }
        while next == jobs.count {
            let isOver = pthread_cond_timedwait(condition, mutex, &end) == ETIMEDOUT
            if isOver, next == jobs.count { return nil }
        }
        defer {
            next += 1
            if next == jobs.count { (jobs, next) = ([], 0) }
        }
        return jobs[next]
    }
}
