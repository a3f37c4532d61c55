import Glibc

/// The first thread of the process, which lives as long as the process does.
///
/// With an asynchronous `main` it would not: the runtime gives the thread to Dispatch, which has it exit and parks it in
/// its last destructor. glibc passes over a thread that exits when it changes the user of all threads. So a process of
/// root's that becomes another user would keep a thread with all of root's rights.
enum MainThread {
    /// Has other threads do work that suspends, and keeps the first thread until that is done and the process ends.
    static func wait(for work: sending @escaping () async -> Void) -> Never {
        // As Dispatch leaves it: the process's signals reach this thread, and only while it waits.
        var (most, none) = (sigset_t(), sigset_t())
        sigfillset(&most)
        sigemptyset(&none)
        for fault in [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP, SIGPROF] { sigdelset(&most, fault) }
        pthread_sigmask(SIG_BLOCK, &most, nil)
        Task.detached {
            await work()
            ExitStatus.leave(ExitStatus.done)
        }
        while true { sigsuspend(&none) }
    }
}
