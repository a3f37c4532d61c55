extension TransferQueue {
    /// At an orderly close, forgets the tokens that begin so: they cannot come again.
    package func forgetTokensAtClose(withPrefix prefix: String) {
        store.forgetTokensAtClose(withPrefix: prefix)
    }
}
