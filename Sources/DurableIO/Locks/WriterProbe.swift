import CLinux
import Glibc

/// A look at whether some process has a file open for writing, by asking the kernel for a read lease.
///
/// The lease is granted only when nobody has the file open for writing, and breaks when somebody opens it so
/// (fcntl(2), `F_SETLEASE`). It takes the file's own user or `CAP_LEASE`.
package struct WriterProbe: ~Copyable {
    package enum Answer: Sendable {
        /// Nobody has it open for writing.
        case noWriter
        case writing
        /// The kernel or the file system does not say; the caller falls back to the file's age.
        case unknown
    }

    private let file: OwnedDescriptor
    package let answer: Answer

    /// - Parameter file: a descriptor opened for reading only.
    package init(_ file: consuming OwnedDescriptor) {
        if clinux_take_read_lease(file.raw) == 0 {
            answer = .noWriter
        } else {
            answer = errno == EAGAIN ? .writing : .unknown
        }
        self.file = file
    }

    /// Whether nobody has opened the file for writing since the probe was made.
    package var stillHolds: Bool {
        clinux_has_read_lease(file.raw) == 1
    }

    deinit {
        _ = clinux_drop_lease(file.raw)
    }
}
