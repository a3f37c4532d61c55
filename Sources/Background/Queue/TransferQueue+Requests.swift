extension TransferQueue {
    /// At an orderly close, forgets the requests whose nonces begin so: they cannot come again.
    package func forgetRequestsAtClose(withPrefix prefix: String) {
        store.forgetRequestsAtClose(withPrefix: prefix)
    }
}
