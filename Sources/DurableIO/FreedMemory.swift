import CLinux

/// What the process's allocator does with memory that is freed.
package enum FreedMemory {
    /// Keeps up to 4 MiB in each of its areas for what comes next.
    ///
    /// The C library gives back whatever is free beyond 128 KiB, at once, and a run that sends thousands of reports would ask
    /// for it again for each of them. For a program's own start: it is a setting of the whole process. Best effort.
    package static func keep() {
        _ = clinux_keep_freed_memory(4 << 20)
    }
}
