import CSQLite
import Synchronization

/// Interrupts a connection from any thread, while that is at something that lets itself be interrupted.
package final class SQLiteInterrupter: Sendable {
    /// The connection's address; `nil` while it is at nothing of the kind.
    private let address = Mutex<UInt?>(nil)

    /// Names the connection to be interrupted. It stays open until another, or none, is named.
    func watch(_ handle: OpaquePointer?) {
        let new = handle.map { UInt(bitPattern: $0) }
        address.withLock { $0 = new }
    }

    package init() {}

    package func interrupt() {
        address.withLock { address in
            guard let handle = address.flatMap({ OpaquePointer(bitPattern: $0) }) else { return }
            sqlite3_interrupt(handle)
        }
    }
}
