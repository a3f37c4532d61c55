#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "capture.h"
#include "group.h"

// Linux calls that glibc shows only with _GNU_SOURCE, which Swift's Glibc module does not define,
// and variadic ones. Each returns what the call returns and leaves errno as the call left it.

int clinux_renameat2_noreplace(int from_directory, const char *from, int to_directory, const char *to);
int clinux_syncfs(int descriptor);

/// Opens a directory for the use of names in it alone (O_PATH), which takes no right to read it. The descriptor, or -1.
int clinux_open_unlisted(int directory, const char *name, int follows_links);

/// Starts to write a part of a file to the disk, or waits until it is written. Neither makes it durable.
int clinux_start_write_back(int descriptor, int64_t offset, int64_t count);
int clinux_finish_write_back(int descriptor, int64_t offset, int64_t count);

/// Open-file-description write lock on the whole file: 0, or -1 with errno EAGAIN when another holds it.
int clinux_ofd_try_lock(int descriptor);
int clinux_ofd_unlock(int descriptor);
/// Takes the whole file so that no other caller of this has it and nobody holds the lock above, by a descriptor that may
/// be open for reading only: 0; 1 when somebody holds the lock above; 2 when another caller of this has it; -1 with errno
/// where such a descriptor can take no lock.
int clinux_ofd_try_seize(int descriptor);
/// 1 when another open file description holds the lock, 0 when it is free, -1 on error. Takes nothing.
int clinux_ofd_is_locked(int descriptor);

/// Takes a read lease whose break notice is a harmless signal: 0 when nobody has the file open for writing.
int clinux_take_read_lease(int descriptor);
/// 1 while the lease is whole, 0 when it is being broken, -1 on error.
int clinux_has_read_lease(int descriptor);
int clinux_drop_lease(int descriptor);

/// What keeps an entry where it is, besides permissions.
enum { clinux_append_only = 1, clinux_immutable = 2, clinux_mount_point = 4 };

/// Those of the above that an entry has, or -1 where the kernel does not say. Links are not followed.
int clinux_attributes(int directory, const char *name);

/// 0 when this process may rename entries of the directory, or -1 with errno EACCES or EROFS.
int clinux_may_rename_in(int directory);

/// The magic number of the file system below the descriptor, or -1.
int64_t clinux_filesystem_magic(int descriptor);

/// Gives up the current user for good: supplementary groups, group and user, in that order. A user whom the machine
/// knows gets all groups of that user, any other the given group. 0, or -1 with errno; EPERM also where a thread has not
/// followed within a second or more.
int clinux_become_user(uint32_t user, uint32_t group);

/// How many cores the process may use, at least 1.
int clinux_core_count(void);

/// Starts a detached thread that takes no signals but those of its own faults: 0, or an error number.
int clinux_start_thread(const char *name, void (*body)(void *), void *argument);

/// The process's variables, each `NAME=VALUE`, the last one NULL.
char **clinux_environment(void);

/// The name by which the kernel was asked to run this program, as its caller wrote it; NULL where the kernel does not
/// tell.
const char *clinux_executed_name(void);

/// A descriptor that becomes readable when the machine has been asleep or its wall clock was set, or -1.
int clinux_open_wake_alarm(void);
/// Makes it wait for the next time.
void clinux_rearm_wake_alarm(int descriptor);

/// A descriptor of a process of any user that becomes readable when the process has ended, or -1.
int clinux_open_process(pid_t process);

/// A timer that counts the time asleep as well, not set yet: a descriptor that read(2) waits for, or -1.
int clinux_open_boot_timer(void);
/// Sets it to a time on CLOCK_BOOTTIME in nanoseconds; 0 stops it.
void clinux_set_boot_timer(int descriptor, int64_t nanoseconds);
