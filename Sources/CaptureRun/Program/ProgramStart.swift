/// What is known of a program from its start on.
package struct ProgramStart: Sendable, Equatable {
    package var pid: Int32
    /// When the kernel started the process, in clock ticks since the boot (field 22 of `/proc/PID/stat`).
    package var startTicks: UInt64?
    package var bootID: String
    /// Milliseconds since 1970.
    package var startedAt: Int64
    /// The program and its arguments.
    package var command: [String]
    /// The file that was started; `nil` where it could not be found out.
    package var path: String?
    package var workingDirectory: String?
    package var user: UInt32
    /// The path of its control group, as `/proc/PID/cgroup` has it.
    package var cgroup: String?

    package init(
        pid: Int32, startTicks: UInt64?, bootID: String, startedAt: Int64, command: [String], path: String?,
        workingDirectory: String?, user: UInt32, cgroup: String?
    ) {
        self.pid = pid
        self.startTicks = startTicks
        self.bootID = bootID
        self.startedAt = startedAt
        self.command = command
        self.path = path
        self.workingDirectory = workingDirectory
        self.user = user
        self.cgroup = cgroup
    }
}
