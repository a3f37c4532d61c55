#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

// A timer for a day that never comes, cancelled whenever the wall clock jumps; waking up makes it jump
// (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET).
static int arm(int descriptor) {
    // About the year 2242: later times do not fit the kernel's nanoseconds.
    struct itimerspec never = {.it_value = {.tv_sec = INT64_C(1) << 33}};
    return timerfd_settime(descriptor, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
}

int clinux_open_wake_alarm(void) {
    int descriptor = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (descriptor == -1 || arm(descriptor) == 0) return descriptor;
    close(descriptor);
    return -1;
}

void clinux_rearm_wake_alarm(int descriptor) {
    uint64_t count;
    // Fails with ECANCELED, and so makes the descriptor unreadable.
    if (read(descriptor, &count, sizeof(count)) == -1) { /* as expected */ }
    arm(descriptor);
}

// Closed on exec by itself. By its number, because older libraries do not know the call.
int clinux_open_process(pid_t process) {
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, process, 0u);
#else
    (void)process;
    errno = ENOSYS;
    return -1;
#endif
}

int clinux_open_boot_timer(void) { return timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC); }

void clinux_set_boot_timer(int descriptor, int64_t nanoseconds) {
    struct itimerspec time = {
        .it_value = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000},
    };
    timerfd_settime(descriptor, TFD_TIMER_ABSTIME, &time, NULL);
}
