import HTTPTypes

/// A transfer that a caller asks for: its request, checked, and all that its row needs.
struct TransferWork: Sendable {
    let request: HTTPRequest
    let transfer: NewTransfer
    /// Whether the result of a delivered transfer is still good; `nil` for a result that is handed over once.
    let keepsResult: (@Sendable () -> Bool)?

    init(
        request: HTTPRequest, transfer: NewTransfer, keepsResult: (@Sendable () -> Bool)? = nil
    ) {
        self.request = request
        self.transfer = transfer
        self.keepsResult = keepsResult
    }
}
