import Foundation

/// Runs `body` with another umask, on a thread that has one of its own, so that no other test notices.
///
/// - Returns: `nil` where the kernel does not give a thread a umask of its own.
package func withUmask<Result: Sendable>(
    _ mask: UInt32, _ body: @escaping @Sendable () throws -> Result
) throws -> Result? {
    try onThreadOfItsOwn {
        // CLONE_FS: working directory and umask are no longer shared with the process.
        guard call("unshare", 0x200) == 0 else { return nil }
        umask(mode_t(mask))
        return try body()
    }
}

/// Runs `body` on a thread that is another user's, without root's privileges.
///
/// - Returns: `nil` where the process may not do that; only root may.
package func withFiles<Result: Sendable>(
    asUser user: UInt32, _ body: @escaping @Sendable () throws -> Result
) throws -> Result? {
    guard geteuid() == 0 else { return nil }
    return try onThreadOfItsOwn {
        // The bare system call is the calling thread's alone; the C library's function would change all (setresuid(2)).
        guard setUser(user) == 0 else { return nil }
        return try body()
    }
}

/// Calls a function of the C library that its headers show only to GNU sources.
private func call(_ name: String, _ argument: Int32) -> Int32 {
    guard let address = dlsym(nil, name) else { return -1 }
    return unsafeBitCast(address, to: (@convention(c) (Int32) -> Int32).self)(argument)
}

private func setUser(_ user: UInt32) -> Int {
    #if arch(x86_64)
    let number = 117
    #else
    let number = 147
    #endif
    guard let address = dlsym(nil, "syscall") else { return -1 }
    let call = unsafeBitCast(address, to: (@convention(c) (Int, Int, Int, Int) -> Int).self)
    return call(number, Int(user), Int(user), Int(user))
}

private func onThreadOfItsOwn<Result: Sendable>(
    _ body: @escaping @Sendable () throws -> Result
) throws -> Result {
    let result = Monitor<Swift.Result<Result, any Error>?>(nil)
    startThread {
        let outcome = Swift.Result { try body() }
        result.withLock { $0 = outcome }
    }
    result.block { $0 != nil }
    guard let outcome = result.value else { throw CancellationError() }
    return try outcome.get()
}
