import CSQLite
import Synchronization

/// Interrupts a connection from any thread, while the connection does work that may be interrupted.
package final class SQLiteInterrupter: Sendable {
    /// The connection's address; `nil` while the connection does no such work.
    private let address = Mutex<UInt?>(nil)

    /// Names the connection to be interrupted. The connection stays open until another connection, or `nil`, is named.
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
