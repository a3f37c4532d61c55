/// The direction of a session's transfer. The raw value is the row's label in the ledger and does not change.
package enum TransferKind: String, CaseIterable, Hashable, Sendable {
    case upload
    case download

    private static let mark = "\u{1f}"

    /// The name of a transfer's row. Uploads and downloads have names of their own, whatever their callers call them.
    package func rowName(_ identifier: String) -> String {
        switch self {
        // The row of an upload has the upload's identifier as its name, unless that would look like a download's row.
        case .upload: identifier.hasPrefix(Self.mark) ? Self.mark + identifier : identifier
        case .download: Self.mark + "d" + identifier
        }
    }

    init(ofRow name: String) {
        self = name.hasPrefix(Self.mark + "d") ? .download : .upload
    }

    /// The caller's name for the transfer of a row.
    func identifier(ofRow name: String) -> String {
        switch self {
        case .upload: name.hasPrefix(Self.mark) ? String(name.dropFirst()) : name
        case .download: String(name.dropFirst(2))
        }
    }
}
