/// Counts the processes that the kernel has killed for want of memory, from the start of a program on.
package struct MemoryWatch: Sendable {
    /// Reads the counters of the program's control group and of the machine.
    package init(pid: Int32) {}
}
