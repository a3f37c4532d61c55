import Reports

extension OrderDispatch {
    /// About reports, by their ids; `nil` is all.
    func carryOut(_ action: Order.Action, ids: [String]?) async throws -> [String] {
        try await carryOut(action, on: ids.map { $0.map { .report($0) } } ?? [.all]).map(\.description)
    }
}
