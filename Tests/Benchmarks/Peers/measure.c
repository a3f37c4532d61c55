// measure RESULT COMMAND…: runs a command and writes what it cost to a file, as one line of JSON.
//
// A program of its own because Linux counts the memory a process had before exec(2): started from an interpreter, every
// command would seem to need at least the interpreter's memory. CPU time includes the children that were waited for.

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec / 1e6; }

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: measure RESULT COMMAND…\n");
        return 64;
    }
    double start = now();
    pid_t child = fork();
    if (child == 0) {
        // A run that is broken off leaves nothing behind.
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execvp(argv[2], argv + 2);
        fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(errno));
        _exit(127);
    }
    if (child < 0) {
        perror("measure: fork");
        return 71;
    }
    int status = 0;
    struct rusage usage;
    while (wait4(child, &status, 0, &usage) < 0) {
        if (errno != EINTR) {
            perror("measure: wait4");
            return 71;
        }
    }
    double wall = now() - start;
    FILE *result = fopen(argv[1], "w");
    if (!result) {
        perror(argv[1]);
        return 73;
    }
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(result, "{\"status\": %d, \"wall\": %.6f, \"user\": %.6f, \"system\": %.6f, \"rss\": %ld}\n", code, wall,
            seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss * 1024);
    return fclose(result) == 0 ? 0 : 73;
}
