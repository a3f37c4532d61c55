import HTTPTypes

/// A transfer somebody asks for: its request, checked, and all that its row needs.
struct TransferWork: Sendable {
    let request: HTTPRequest
    let transfer: NewTransfer
    /// Whether the outcome of a delivered transfer is still good; `nil` for one that is handed over once.
    let keepsOutcome: (@Sendable () -> Bool)?

    init(
        request: HTTPRequest, transfer: NewTransfer, keepsOutcome: (@Sendable () -> Bool)? = nil
    ) {
        self.request = request
        self.transfer = transfer
        self.keepsOutcome = keepsOutcome
    }
}
