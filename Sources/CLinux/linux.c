#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <sys/stat.h>
#include <unistd.h>

int clinux_renameat2_noreplace(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE);
}

int clinux_syncfs(int descriptor) { return syncfs(descriptor); }

static struct flock whole_file(short type) {
    // l_pid must be 0 for open-file-description locks (fcntl(2)).
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0, .l_pid = 0};
    return lock;
}

int clinux_ofd_try_lock(int descriptor) {
    struct flock lock = whole_file(F_WRLCK);
    return fcntl(descriptor, F_OFD_SETLK, &lock);
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

int clinux_become_user(uint32_t user, uint32_t group) {
    gid_t groups[1] = {group};
    if (setgroups(1, groups) == -1) return -1;
    if (setresgid(group, group, group) == -1) return -1;
    return setresuid(user, user, user);
}

char **clinux_environment(void) { return environ; }
