import DurableIO
import Glibc
import Reports
import SystemPackage

/// Standard input as a payload.
enum StandardInput {
    /// Whether it was open when the process started.
    nonisolated(unsafe) private static var wasOpen = true

    /// Gives closed standard streams to `/dev/null`, lest the next file opened becomes one of them.
    ///
    /// - Note: To be called first of all, before there are threads.
    static func settleStandardStreams() {
        wasOpen = fcntl(STDIN_FILENO, F_GETFD) != -1
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) == -1 {
            // The lowest free number is the closed one.
            _ = Glibc.open("/dev/null", O_RDWR)
        }
    }

    static func open() throws(ReportsError) -> OwnedDescriptor {
        let raw = wasOpen ? dup(STDIN_FILENO) : -1
        guard raw >= 0 else { throw ReportsError(.noSuchFile, "standard input is closed") }
        return OwnedDescriptor(adopting: raw, path: "standard input")
    }
}

/// What can be told of an input before it is opened.
enum Input {
    /// Whether reading it may have to wait for somebody: standard input, a FIFO.
    static func mayWait(_ file: String) -> Bool {
        if file == "-" { return true }
        var facts = stat()
        return stat(file, &facts) == 0 && facts.st_mode & S_IFMT == S_IFIFO
    }
}

/// Deleting a file that was added with `--move`.
enum FileRemoval {
    static func remove(_ path: FilePath) -> Bool {
        path.withPlatformString { unlink($0) } == 0
    }
}
