import Glibc

/// Writes to a consumer of standard error.
enum StderrOutput {
    enum Result: Equatable {
        case done
        case consumerGone
        /// Somebody has stopped it; what begins here was not written.
        case stopped(at: Int)
    }

    /// Writes all bytes, however long the consumer takes. Errors other than that there is no consumer are no reason to
    /// stop the program.
    /// - Parameters:
    ///   - bytes: what to write.
    ///   - output: the consumer.
    ///   - isStopped: whether to go on no further; asked before each call of the system, which a signal may interrupt.
    ///     The default is that nobody stops it.
    /// - Returns: how far it came.
    static func write(
        _ bytes: UnsafeRawBufferPointer, to output: Int32, isStopped: () -> Bool = { false }
    ) -> Result {
        var done = 0
        while done < bytes.count {
            if isStopped() { return .stopped(at: done) }
            let count = Glibc.write(output, bytes.baseAddress?.advanced(by: done), bytes.count - done)
            if count > 0 {
                done += count
            } else if count == -1, errno == EAGAIN {
                // Somebody has set it so for all who share it; nobody here does.
                var entry = pollfd(fd: output, events: Int16(POLLOUT), revents: 0)
                _ = poll(&entry, 1, -1)
            } else if count == 0 || errno != EINTR {
                return count == -1 && errno == EPIPE ? .consumerGone : .done
            }
        }
        return .done
    }
}
