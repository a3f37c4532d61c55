import CStartup
import DurableIO

/// The jobs of tasks that name no executor, as those of libraries, on threads of this package.
///
/// The runtime gives them to Dispatch, and from its first such job on Dispatch wakes the process once a second, for as
/// long as it lives, to count the threads that wait. A program that stays has no use for that.
enum GlobalJobs {
    /// Takes the jobs over. To be called before the first of them: nothing has suspended yet.
    static func takeOver() {
        cstartup_take_global_jobs { job in
            guard let job else { return 0 }
            return OwnThreads.shared.accepts(unsafeBitCast(job, to: UnownedJob.self)) ? 1 : 0
        }
    }
}
