#define _GNU_SOURCE
#include "CStartup.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

// Any function of the Swift runtime.
extern void *swift_retain(void *object);

static const char variable[] = "SWIFT_BACKTRACE";

static const char *hidden_backtrace;
static int is_own;

const char *cstartup_hidden_backtrace(void) {
    if (is_own) unsetenv(variable);
    is_own = 0;
    return hidden_backtrace;
}

/// Hides SWIFT_BACKTRACE from a Swift runtime that is linked into the executable.
///
/// Such a runtime looks for its helper `swift-backtrace` beside the executable, finds none, and complains at each start
/// on a machine that has the variable set for all programs. It reads the variable in a constructor without a priority;
/// those with one run earlier, 101 is the first that is not the C library's.
///
/// A runtime that is a library of its own has read the variable before any constructor of the executable runs, and finds
/// its helper. A helper that the variable names is found as well. Both are left alone.
///
/// In a program without a dynamic linker the runtime asks /proc for the executable, aborts where that is missing, and
/// looks in eight places beside it. It asks and looks nowhere where the variable names a helper, so it has one of ours
/// until the first question for the hidden value.
__attribute__((constructor(101))) static void hide_backtrace_settings(void) {
    const char *settings = getenv(variable);
    if (settings != NULL && strstr(settings, "swift-backtrace=") != NULL) return;
    Dl_info runtime, program;
    // In a program without a dynamic linker neither is found: all of it is one object.
    int is_dynamic = dladdr((void *)swift_retain, &runtime) && dladdr((void *)hide_backtrace_settings, &program);
    if (is_dynamic && runtime.dli_fbase != program.dli_fbase) return;
    // The text stays where it is; only the list of variables loses it.
    hidden_backtrace = settings;
    if (settings != NULL) unsetenv(variable);
    is_own = !is_dynamic && setenv(variable, "enable=no,swift-backtrace=/none", 1) == 0;
}
