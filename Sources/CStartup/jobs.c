#include "CStartup.h"

#include <stddef.h>

// The hook by which the Swift runtime lets a program run its global jobs (Concurrency.h of the runtime). A program
// without concurrency has none.
typedef __attribute__((swiftcall)) void (*enqueue_function)(void *job);
typedef __attribute__((swiftcall)) void (*enqueue_hook)(void *job, enqueue_function original);
extern enqueue_hook swift_task_enqueueGlobal_hook __attribute__((weak));

static int (*enqueue_job)(void *job);

static __attribute__((swiftcall)) void enqueue(void *job, enqueue_function original) {
    if (!enqueue_job(job)) original(job);
}

void cstartup_take_global_jobs(int (*enqueue_or_refuse)(void *job)) {
    if (&swift_task_enqueueGlobal_hook == NULL) return;
    enqueue_job = enqueue_or_refuse;
    swift_task_enqueueGlobal_hook = enqueue;
}
