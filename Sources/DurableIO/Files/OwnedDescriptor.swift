import Glibc

/// An open file that is closed exactly once: by `close()`, whose error reaches the caller, or when abandoned.
package struct OwnedDescriptor: ~Copyable, Sendable {
    /// Valid as long as the value lives; never to be closed by others.
    package let raw: Int32

    package init(adopting raw: Int32) {
        self.raw = raw
    }

    /// Closes the file. Linux has freed the descriptor even when `close(2)` reports an error.
    package consuming func close() {
        let raw = self.raw
        discard self
        _ = Glibc.close(raw)
    }

    /// Gives the descriptor away; the caller closes it.
    package consuming func release() -> Int32 {
        let raw = self.raw
        discard self
        return raw
    }

    deinit {
        _ = Glibc.close(raw)
    }
}
