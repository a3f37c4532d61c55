#pragma once
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// What a process needs that runs another program and stays out of its way. See CLinux.h for the conventions.

/// Signals as this process found them when it was started.
struct clinux_signals {
    sigset_t mask;
    /// The signals that are ignored.
    sigset_t ignored;
};

/// Blocks all signals that a process may send to another in the calling thread and those that it starts; and gives
/// SIGCHLD its default, without which no child can be waited for.
/// - Returns: a descriptor to read the blocked signals from (close on exec, not blocking), or -1 with errno. `found` is
///   filled in any case.
int clinux_hold_signals(struct clinux_signals *found);

/// A signal that was taken from the descriptor.
struct clinux_signal {
    int32_t number;
    /// Who has caused it (`si_code` of sigaction(2)): 0 or less for a process.
    int32_t code;
    /// The process that has sent it; 0 where that is not of our namespace.
    int32_t sender;
    /// The value that was sent along by sigqueue(3).
    void *value;
};

/// 1 and a signal, 0 when there is none, -1 with errno.
int clinux_next_signal(int descriptor, struct clinux_signal *signal);

/// Sends a signal on as it came, with its value where it has one. 0, or -1 with errno.
int clinux_pass_on(const struct clinux_signal *signal, pid_t receiver);

/// How a program is started.
struct clinux_program {
    /// Looked up in $PATH of this process unless it has a slash.
    const char *name;
    char *const *arguments;
    /// Where `LISTEN_PID`, `WATCHDOG_PID` and `SYSTEMD_EXEC_PID` name this process, the program gets its own number there.
    /// Where the first does, it does not get `LISTEN_PIDFDID`.
    char *const *environment;
    const struct clinux_signals *signals;
    /// What its standard input, output and error become; -1 leaves each as it is.
    int streams[3];
    /// Gets a byte at the moment before the program is in place, so that a death of this process hides no longer that
    /// there was one; -1 for none.
    int mark;
    /// Whether the kernel kills it when the calling thread ends.
    int dies_with_parent;
    /// Whether its limit of core files is raised as far as it may be.
    int raises_core_limit;
    /// Whether it gets a session of its own, the root as its directory, and nothing that is open but the streams.
    int is_detached;
};

/// What keeps a program from being started.
enum {
    /// The program itself: errno as execve(2) says it.
    clinux_is_refused = -1,
    /// This process: it may have no further process, memory or descriptor.
    clinux_has_no_room = -2,
};

/// Starts a program, and waits until it runs.
///
/// To be called on the main thread where the program is to die with this process.
/// - Returns: its number, or one of the above with errno.
pid_t clinux_start(const struct clinux_program *program);

/// Turns this process into a program, with the streams that this process has. Comes back with errno as execve(2) says it
/// where that cannot be; signals are no longer blocked then. What this thread has got for writing where nobody reads, or
/// beyond the largest size of a file, is gone before.
void clinux_become(const struct clinux_program *program);

/// A child that has ended and that nobody has waited for; it stays so. 0 when there is none, -1 with errno.
pid_t clinux_ended_child(void);

/// What has become of a child that was stopped and goes on.
enum { clinux_is_continued = -1 };

/// Of a child that was stopped or continued since the last call, the signal that has stopped it, or the above; 0 when
/// neither.
int clinux_stop_state(pid_t child);

/// A pipe whose ends are closed on exec: 0, or -1 with errno.
int clinux_pipe(int ends[2]);

/// A counter to wake poll(2) with: its descriptor, or -1 with errno.
int clinux_event(void);
/// Makes the counter readable for good.
void clinux_raise_event(int descriptor);

/// Stops this process by a signal until it is continued. Comes back at once where the kernel allows no stop by it: one of
/// the terminal in a group that no shell looks after.
void clinux_stop_by(int signal);

/// Ends this process by a signal, without a core file. Returns where the signal does not end it, as in a process 1.
void clinux_end_by(int signal);

/// Gives closed standard streams to something that cannot be read or written, lest a file that is opened becomes one of
/// them. Programs that are started find them closed.
void clinux_settle_streams(void);

/// Has all threads take memory from one place. A thread of its own place would map 128 MiB at its start, to have some.
void clinux_share_memory(void);

/// A file in memory that goes with its last descriptor, which is closed on exec: the descriptor, or -1 with errno.
int clinux_memory_file(void);

/// The number of the calling thread.
pid_t clinux_thread(void);

/// Makes the system call in which a thread of `clinux_start_thread` waits return, with what it has done so far or with
/// EINTR. A thread that is about to begin one is not interrupted.
void clinux_interrupt(pid_t thread);

/// Lays down a file of a length with blocks of its own, so that on most file systems no later write into it fails for
/// want of space: 0, or -1 with errno.
int clinux_lay_down(int descriptor, int64_t byte_count);
