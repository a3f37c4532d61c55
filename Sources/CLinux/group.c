#define _GNU_SOURCE
#include "group.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct answer {
    uint32_t question;
    struct clinux_group_signal signals[clinux_group_signal_limit];
};

static int signals_taken(const sigset_t *all, struct clinux_group_signal *signals) {
    static const struct timespec now = {0, 0};
    siginfo_t info;
    int count = 0;
    while (count < clinux_group_signal_limit && sigtimedwait(all, &info, &now) > 0) {
        // The kernel's own have no sender.
        if (info.si_code != SI_USER) continue;
        signals[count++] = (struct clinux_group_signal){.number = info.si_signo, .sender = info.si_pid};
    }
    return count;
}

/// Nobody waits for this process, so that it never leaves by itself while its parent lives.
static void answer_questions(pid_t parent, char **words, int socket) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pid_t found = getppid();
    if (found != 0 && found != parent) _exit(0);
    prctl(PR_SET_NAME, "group-watch");
    for (; *words != NULL; words++) memset(*words, 0, strlen(*words));
    if (dup2(socket, 0) == -1 || syscall(SYS_close_range, 1u, ~0u, 0u) == -1) _exit(0);
    struct answer answer;
    while (recv(0, &answer.question, sizeof(answer.question), 0) == sizeof(answer.question)) {
        size_t count = (size_t)signals_taken(&all, answer.signals);
        size_t length = sizeof(answer.question) + count * sizeof(answer.signals[0]);
        if (send(0, &answer, length, MSG_NOSIGNAL) == -1) break;
    }
    _exit(0);
}

pid_t clinux_start_group_watch(char **words, int *socket) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1) return -1;
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) answer_questions(parent, words, ends[1]);
    int error = errno;
    close(ends[1]);
    if (child == -1) close(ends[0]);
    *socket = ends[0];
    errno = error;
    return child;
}

int clinux_group_signals(pid_t watch, int socket, uint32_t question, struct clinux_group_signal *signals) {
    // It may have been stopped together with the group.
    kill(watch, SIGCONT);
    if (send(socket, &question, sizeof(question), MSG_NOSIGNAL | MSG_DONTWAIT) == -1) return -1;
    struct pollfd entry = {.fd = socket, .events = POLLIN};
    while (poll(&entry, 1, 500) == 1) {
        struct answer answer;
        ssize_t length = recv(socket, &answer, sizeof(answer), MSG_DONTWAIT);
        if (length < (ssize_t)sizeof(answer.question)) return -1;
        // An answer that came too late is to another question.
        if (answer.question != question) continue;
        int count = (int)(((size_t)length - sizeof(answer.question)) / sizeof(answer.signals[0]));
        memcpy(signals, answer.signals, (size_t)count * sizeof(answer.signals[0]));
        return count;
    }
    return -1;
}
