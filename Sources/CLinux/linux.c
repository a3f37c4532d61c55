#define _GNU_SOURCE
#include "CLinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int clinux_renameat2_noreplace(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE);
}

int clinux_syncfs(int descriptor) { return syncfs(descriptor); }

int clinux_open_unlisted(int directory, const char *name, int follows_links) {
    return openat(directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC | (follows_links ? 0 : O_NOFOLLOW));
}

int clinux_start_write_back(int descriptor, int64_t offset, int64_t count) {
    return sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE);
}

int clinux_finish_write_back(int descriptor, int64_t offset, int64_t count) {
    unsigned int flags = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    return sync_file_range(descriptor, offset, count, flags);
}

static struct flock whole_file(short type) {
    // l_pid must be 0 for open-file-description locks (fcntl(2)).
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0, .l_pid = 0};
    return lock;
}

int clinux_ofd_try_lock(int descriptor) {
    struct flock lock = whole_file(F_WRLCK);
    return fcntl(descriptor, F_OFD_SETLK, &lock);
}

int clinux_ofd_try_seize(int descriptor) {
    // A descriptor for reading gets a shared lock, which keeps writers out; flock(2) keeps the other readers out.
    struct flock lock = whole_file(F_RDLCK);
    if (fcntl(descriptor, F_OFD_SETLK, &lock) == -1) return errno == EAGAIN || errno == EACCES ? 1 : -1;
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return 0;
    int error = errno;
    clinux_ofd_unlock(descriptor);
    errno = error;
    return error == EAGAIN ? 2 : -1;
}

int clinux_ofd_unlock(int descriptor) {
    struct flock lock = whole_file(F_UNLCK);
    return fcntl(descriptor, F_OFD_SETLK, &lock);
}

int clinux_ofd_is_locked(int descriptor) {
    // A reader may hold the file read-only, which rules out asking for a write lock on some kernels;
    // F_OFD_GETLK only asks, so it works on any descriptor.
    struct flock lock = whole_file(F_WRLCK);
    if (fcntl(descriptor, F_OFD_GETLK, &lock) == -1) return -1;
    return lock.l_type == F_UNLCK ? 0 : 1;
}

int clinux_take_read_lease(int descriptor) {
    // The default notice is SIGIO, which kills; SIGURG is ignored by default.
    if (fcntl(descriptor, F_SETSIG, SIGURG) == -1) return -1;
    return fcntl(descriptor, F_SETLEASE, F_RDLCK);
}

int clinux_has_read_lease(int descriptor) {
    int lease = fcntl(descriptor, F_GETLEASE);
    if (lease == -1) return -1;
    return lease == F_RDLCK ? 1 : 0;
}

int clinux_drop_lease(int descriptor) { return fcntl(descriptor, F_SETLEASE, F_UNLCK); }

int clinux_attributes(int directory, const char *name) {
    struct statx facts;
    if (statx(directory, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &facts) == -1) return -1;
    int found = 0;
    if (facts.stx_attributes & STATX_ATTR_APPEND) found |= clinux_append_only;
    if (facts.stx_attributes & STATX_ATTR_IMMUTABLE) found |= clinux_immutable;
    // 0x2000 is STATX_ATTR_MOUNT_ROOT (Linux 5.8), which older headers lack.
    if (facts.stx_attributes & 0x2000) found |= clinux_mount_point;
    return found;
}

int clinux_may_rename_in(int directory) { return faccessat(directory, ".", W_OK | X_OK, AT_EACCESS); }

int64_t clinux_filesystem_magic(int descriptor) {
    struct statfs facts;
    if (fstatfs(descriptor, &facts) == -1) return -1;
    return (int64_t)(uint32_t)facts.f_type;
}

// Whether all four numbers behind a word of a thread's status are one and the same.
static int is_throughout(const char *status, const char *word, uint32_t number) {
    unsigned int found[4];
    const char *line = strstr(status, word);
    if (line == NULL) return 0;
    if (sscanf(line + strlen(word), "%u %u %u %u", &found[0], &found[1], &found[2], &found[3]) != 4) return 0;
    for (int i = 0; i < 4; i++) if (found[i] != number) return 0;
    return 1;
}

// Whether a thread acts as a user and a group alone; one that has ended does no harm.
static int thread_acts_as(const char *thread, uint32_t user, uint32_t group) {
    char path[64], status[4096];
    snprintf(path, sizeof(path), "/proc/self/task/%.20s/status", thread);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file == -1) return errno == ENOENT;
    ssize_t count = read(file, status, sizeof(status) - 1);
    int error = errno;
    close(file);
    if (count == -1) return error == ESRCH;
    status[count] = 0;
    return is_throughout(status, "\nUid:", user) && is_throughout(status, "\nGid:", group);
}

// 0 when each thread of this process acts as the user and the group alone. Where there is no /proc, nobody can tell.
// The system call is of one thread. glibc has all threads make it, but for those that are about to exit: one that stays so
// keeps the rights that the others have given up.
static int await_threads(uint32_t user, uint32_t group) {
    for (int tries = 0; tries < 1000; tries++) {
        DIR *threads = opendir("/proc/self/task");
        if (threads == NULL) return 0;
        int agree = 1;
        for (struct dirent *entry; agree && (entry = readdir(threads));)
            if (entry->d_name[0] != '.') agree = thread_acts_as(entry->d_name, user, group);
        closedir(threads);
        if (agree) return 0;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    errno = EPERM;
    return -1;
}

int clinux_become_user(uint32_t user, uint32_t group) {
    struct passwd *entry = getpwuid(user);
    if (entry) group = entry->pw_gid;
    gid_t groups[1] = {group};
    if ((entry ? initgroups(entry->pw_name, group) : setgroups(1, groups)) == -1) return -1;
    if (setresgid(group, group, group) == -1) return -1;
    if (setresuid(user, user, user) == -1) return -1;
    return await_threads(user, group);
}

int clinux_core_count(void) {
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof(cores), &cores) == 0) return CPU_COUNT(&cores);
    // The machine has more cores than the set has room for.
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (int)count;
}

struct thread_start {
    char name[16];
    void (*body)(void *);
    void *argument;
};

static void *run_thread(void *argument) {
    struct thread_start start = *(struct thread_start *)argument;
    free(argument);
    pthread_setname_np(pthread_self(), start.name);
    start.body(start.argument);
    return NULL;
}

int clinux_start_thread(const char *name, void (*body)(void *), void *argument) {
    struct thread_start *start = malloc(sizeof(*start));
    if (start == NULL) return ENOMEM;
    *start = (struct thread_start){.body = body, .argument = argument};
    // A longer name would be refused.
    snprintf(start->name, sizeof(start->name), "%s", name);
    // The program's handlers run on the program's threads. A fault has to reach its handler wherever it happens.
    static const int faults[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP, SIGPROF};
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) sigdelset(&blocked, faults[i]);
    // The new thread inherits the mask.
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run_thread, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) return pthread_detach(thread);
    free(start);
    return error;
}

char **clinux_environment(void) { return environ; }

const char *clinux_executed_name(void) { return (const char *)getauxval(AT_EXECFN); }
