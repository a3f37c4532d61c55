#pragma once

// What an executable of this package does before the Swift runtime in it starts. Linking the target is enough. Libraries
// must not link it, for it takes a variable away from the program that uses them.

/// The value of SWIFT_BACKTRACE that was hidden from this program's own runtime, for the programs that it starts; NULL
/// where nothing was hidden.
const char *cstartup_hidden_backtrace(void);

/// The command line as the kernel gave it, ended by NULL; NULL where the C library does not tell. Swift reads its own from
/// /proc, which is missing in a bare chroot and in units that have a root directory of their own.
char **cstartup_words(void);

/// From now on `enqueue_or_refuse` gets each job that the Swift runtime would give to Dispatch's global queues. It
/// returns 0 for one that it does not take, which then goes there all the same.
void cstartup_take_global_jobs(int (*enqueue_or_refuse)(void *job));

/// Gives free memory back, and lets go of the pages of code and constants that this process has mapped of its program and
/// libraries. The next use of one maps it again from its file, mostly out of the page cache.
void cstartup_release_memory(void);
