import Glibc
import SystemPackage

/// Starts this program once more in this process, as it was started.
package enum ProgramRestart {
    /// Replaces the program by itself, with one variable set.
    /// - Returns: why it could not; the variable then is as it was.
    package static func restart(setting name: String, to value: String) -> String {
        // Not "/proc/self/exe" itself: the process would be named "exe", in its reports as well.
        guard let program = CurrentProcess.resolvedPath("/proc/self/exe") else {
            return "the program's own file is not found: \(Errno(rawValue: errno))"
        }
        let old = Environment.value(name)
        guard setenv(name, value, 1) == 0 else { return "\(name) cannot be set: \(Errno(rawValue: errno))" }
        execv(program, CommandLine.unsafeArgv)
        let reason = "\(program) cannot be started once more: \(Errno(rawValue: errno))"
        if let old { setenv(name, old, 1) } else { unsetenv(name) }
        return reason
    }
}
