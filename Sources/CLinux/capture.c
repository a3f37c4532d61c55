#define _GNU_SOURCE
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// MARK: - Signals

/// Left to their default: the faults of this process itself.
static const int free_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};

int clinux_hold_signals(struct clinux_signals *found) {
    sigset_t held;
    sigfillset(&held);
    for (size_t i = 0; i < sizeof(free_signals) / sizeof(free_signals[0]); i++) sigdelset(&held, free_signals[i]);
    sigemptyset(&found->ignored);
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN) sigaddset(&found->ignored, number);
    }
    if (pthread_sigmask(SIG_BLOCK, &held, &found->mask) != 0) return -1;
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &standard, NULL);
    return signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
}

int clinux_next_signal(int descriptor, struct clinux_signal *signal) {
    struct signalfd_siginfo info;
    ssize_t count = read(descriptor, &info, sizeof(info));
    if (count == -1) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (count != sizeof(info)) return 0;
    *signal = (struct clinux_signal){
        .number = (int32_t)info.ssi_signo,
        .code = info.ssi_code,
        .sender = (int32_t)info.ssi_pid,
        .value = (void *)(uintptr_t)info.ssi_ptr,
    };
    return 1;
}

int clinux_pass_on(const struct clinux_signal *signal, pid_t receiver) {
    if (signal->code != SI_QUEUE) return kill(receiver, signal->number);
    union sigval value = {.sival_ptr = signal->value};
    return sigqueue(receiver, signal->number, value);
}

/// Does to this process what a signal does by default. Comes back where that is nothing, or was a stop.
static void suffer(int signal) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(signal, &standard, NULL);
    sigset_t one, before;
    sigemptyset(&one);
    sigaddset(&one, signal);
    pthread_sigmask(SIG_UNBLOCK, &one, &before);
    raise(signal);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void clinux_stop_by(int signal) { suffer(signal); }

void clinux_end_by(int signal) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    // A handler of core files that is a program gets them whatever the limit is, but not of such a process.
    prctl(PR_SET_DUMPABLE, 0);
    suffer(signal);
}

// MARK: - Starting programs

/// Variables by which a service manager tells a process that it is meant, and with it what else it was told.
static const char *const own_number_names[] = {"LISTEN_PID", "WATCHDOG_PID", "SYSTEMD_EXEC_PID"};
enum { own_number_count = sizeof(own_number_names) / sizeof(own_number_names[0]), own_number_size = 48 };

struct start {
    const struct clinux_program *program;
    char *const *environment;
    pid_t parent;
    /// Variables whose values become the number of the program.
    char *own_numbers[own_number_count];
    int error;
    /// Whether the system call that starts programs has refused this one.
    int is_refused;
};

/// Writes a number behind the `=` of a variable. Allocates nothing.
static void write_number(char *variable, pid_t number) {
    char digits[16];
    int count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    char *end = strchr(variable, '=') + 1;
    while (count > 0) *end++ = digits[--count];
    *end = 0;
}

static void restore_signals(const struct clinux_signals *signals) {
    for (int number = 1; number < NSIG; number++) {
        int is_ignored = sigismember(&signals->ignored, number) == 1;
        struct sigaction action = {.sa_handler = is_ignored ? SIG_IGN : SIG_DFL};
        sigaction(number, &action, NULL);
    }
    sigprocmask(SIG_SETMASK, &signals->mask, NULL);
}

/// A stream may stand where another one has to go, so all are moved out of the way first.
static int place_streams(const int streams[3]) {
    int moved[3];
    for (int i = 0; i < 3; i++) {
        moved[i] = streams[i] < 0 ? -1 : fcntl(streams[i], F_DUPFD_CLOEXEC, 3);
        if (streams[i] >= 0 && moved[i] == -1) return -1;
    }
    for (int i = 0; i < 3; i++) {
        if (moved[i] >= 0 && dup2(moved[i], i) == -1) return -1;
    }
    return 0;
}

static void detach(void) {
    setsid();
    if (chdir("/") == -1) return;
    // Linux 5.9. Whatever is open here otherwise is closed on exec but for what this process was given.
    syscall(SYS_close_range, 3u, ~0u, 0u);
}

/// Turns this process into the program. Comes back with errno where that cannot be.
static void execute(const struct clinux_program *program, char *const *environment) {
    struct rlimit core;
    if (program->raises_core_limit && getrlimit(RLIMIT_CORE, &core) == 0) {
        core.rlim_cur = core.rlim_max;
        setrlimit(RLIMIT_CORE, &core);
    }
    restore_signals(program->signals);
    // Best effort: without it, less is known only if this process dies in the next millisecond.
    if (program->mark >= 0 && write(program->mark, "1", 1) == -1) errno = 0;
    execvpe(program->name, program->arguments, environment);
}

/// Runs in the memory of the parent, which waits meanwhile: nothing here allocates or takes a lock.
static int become_program(void *argument) {
    struct start *start = argument;
    const struct clinux_program *program = start->program;
    if (program->dies_with_parent) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        // It may have died before that. 0 is one that this process cannot see: it is the first of its namespace.
        pid_t parent = getppid();
        if (parent != 0 && parent != start->parent) _exit(127);
    }
    for (int i = 0; i < own_number_count; i++) {
        if (start->own_numbers[i] != NULL) write_number(start->own_numbers[i], getpid());
    }
    if (place_streams(program->streams) == 0) {
        if (program->is_detached) detach();
        execute(program, start->environment);
        start->is_refused = 1;
    }
    start->error = errno;
    _exit(127);
}

/// Whether a variable has this name and, as its value, the number of this process.
static int names_us(const char *variable, const char *name) {
    size_t length = strlen(name);
    if (strncmp(variable, name, length) != 0 || variable[length] != '=') return 0;
    char *end;
    long number = strtol(variable + length + 1, &end, 10);
    return end != variable + length + 1 && *end == 0 && number == getpid();
}

/// Takes out the variable that names this process as LISTEN_PID does, by the inode of its pidfd, which nobody can have
/// before the process is there. Who finds none is content with LISTEN_PID.
static void forget_inode(char **variables) {
    static const char name[] = "LISTEN_PIDFDID=";
    char **kept = variables;
    for (; *variables != NULL; variables++) {
        if (strncmp(*variables, name, sizeof(name) - 1) != 0) *kept++ = *variables;
    }
    *kept = NULL;
}

/// Copies the list of variables where one of them names this process, with room for another number.
static char **with_own_numbers(
    char *const *environment, struct start *start, char room[own_number_count][own_number_size]) {
    size_t count = 0;
    while (environment[count] != NULL) count++;
    char **copy = malloc((count + 1) * sizeof(char *));
    if (copy == NULL) return NULL;
    memcpy(copy, environment, (count + 1) * sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        for (int k = 0; k < own_number_count; k++) {
            if (!names_us(copy[i], own_number_names[k])) continue;
            strcpy(room[k], own_number_names[k]);
            strcat(room[k], "=");
            copy[i] = start->own_numbers[k] = room[k];
        }
    }
    if (start->own_numbers[0] != NULL) forget_inode(copy);
    return copy;
}

pid_t clinux_start(const struct clinux_program *program) {
    struct start start = {.program = program, .parent = getpid()};
    char room[own_number_count][own_number_size];
    char **environment = with_own_numbers(program->environment, &start, room);
    if (environment == NULL) return clinux_has_no_room;
    start.environment = environment;
    size_t count = 0;
    while (program->arguments[count] != NULL) count++;
    // A script without `#!` is given to a shell with a copy of its arguments that lies on the stack.
    size_t stack_size = (256 << 10) + ((count * sizeof(char *) + 4095) & ~(size_t)4095);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE;
    char *stack = mmap(NULL, stack_size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (stack == MAP_FAILED) {
        free(environment);
        return clinux_has_no_room;
    }
    // No handler of this process may run in the child, whose memory is this one's.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    // As vfork(2), but with a stack of its own.
    pid_t child = clone(become_program, stack + stack_size, CLONE_VM | CLONE_VFORK | SIGCHLD, &start);
    int error = child == -1 ? errno : start.error;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    munmap(stack, stack_size);
    free(environment);
    if (child != -1 && error != 0) {
        while (waitpid(child, NULL, 0) == -1 && errno == EINTR) {}
        child = start.is_refused ? clinux_is_refused : clinux_has_no_room;
    } else if (child == -1) {
        child = clinux_has_no_room;
    }
    errno = error;
    return child;
}

/// Takes back a signal that this thread has got for a write of its own. It is no other's word to the program.
static void take_back(int signal) {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signal);
    static const struct timespec now = {0, 0};
    siginfo_t info;
    if (sigtimedwait(&one, &info, &now) != signal) return;
    if (info.si_code != SI_USER || info.si_pid != getpid()) kill(getpid(), signal);
}

void clinux_become(const struct clinux_program *program) {
    take_back(SIGPIPE);
    take_back(SIGXFSZ);
    execute(program, program->environment);
}

// MARK: - Watching them

pid_t clinux_ended_child(void) {
    siginfo_t info = {0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1) return -1;
    return info.si_pid;
}

int clinux_stop_state(pid_t child) {
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)child, &info, WSTOPPED | WCONTINUED | WNOHANG) == -1 || info.si_pid == 0) return 0;
    return info.si_code == CLD_CONTINUED ? clinux_is_continued : info.si_status;
}

// MARK: - Descriptors

int clinux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int clinux_event(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void clinux_raise_event(int descriptor) { (void)eventfd_write(descriptor, 1); }

void clinux_settle_streams(void) {
    for (int descriptor = 0; descriptor < 3; descriptor++) {
        if (fcntl(descriptor, F_GETFD) != -1) continue;
        // The lowest free number is the closed one. Containers may have no /dev/null, but a root they have.
        if (open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) == -1) return;
    }
}

void clinux_share_memory(void) {
#ifdef M_ARENA_MAX
    (void)mallopt(M_ARENA_MAX, 1);
#endif
}

int clinux_memory_file(void) { return memfd_create("stderr", MFD_CLOEXEC); }

pid_t clinux_thread(void) { return (pid_t)syscall(SYS_gettid); }

static void do_nothing(int signal) { (void)signal; }

void clinux_interrupt(pid_t thread) {
    // All threads of ours take this signal, and nobody sends it to a process. It stays so: it may still be on its way.
    struct sigaction action = {.sa_handler = do_nothing};
    sigaction(SIGSYS, &action, NULL);
    syscall(SYS_tgkill, getpid(), thread, SIGSYS);
}

int clinux_lay_down(int descriptor, int64_t byte_count) {
    if (ftruncate(descriptor, byte_count) == -1) return -1;
    if (fallocate(descriptor, 0, 0, byte_count) == 0) return 0;
    if (errno != EOPNOTSUPP) return -1;
    static const char zeros[4096];
    for (int64_t done = 0; done < byte_count;) {
        size_t rest = (size_t)(byte_count - done);
        ssize_t count = pwrite(descriptor, zeros, rest < sizeof(zeros) ? rest : sizeof(zeros), done);
        if (count == -1 && errno == EINTR) continue;
        if (count <= 0) return -1;
        done += count;
    }
    return 0;
}
