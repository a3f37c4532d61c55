import Glibc

/// An open file that is closed exactly once, when its owner lets go of it.
///
/// Nobody is told whether closing failed. What has to outlive a crash is synced before, and a sync tells.
package struct OwnedDescriptor: ~Copyable, Sendable {
    /// Valid as long as the value lives; never to be closed by others.
    package let raw: Int32
    /// By which the file was opened, for messages; it may have another name by now.
    package let path: String

    /// - Parameters:
    ///   - raw: an open descriptor, which is this value's from now on.
    ///   - path: by which it was opened, or what it is called where it has no path.
    package init(adopting raw: Int32, path: String) {
        self.raw = raw
        self.path = path
    }

    deinit {
        _ = Glibc.close(raw)
    }
}
