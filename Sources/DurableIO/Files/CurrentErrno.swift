import Glibc

enum CurrentErrno {
    static var value: Int32 { errno }
}

/// Repeats a call that a signal interrupted (`EINTR`).
func retryingInterrupted<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result == -1 && errno == EINTR { continue }
        return result
    }
}
