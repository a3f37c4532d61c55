package import DurableIO

/// Where a payload's bytes come from, read once from beginning to end.
package enum PayloadSource: ~Copyable {
    case bytes([UInt8])
    /// A file, read from its position; `facts` are from before the first byte, `nil` where nothing can be compared.
    case file(OwnedDescriptor, facts: FileMetadata?)
    /// A pipe that was opened without waiting for its writer.
    case pipe(OwnedDescriptor)
    /// A file that may grow meanwhile, of which then a snapshot is taken.
    case growingFile(OwnedDescriptor, facts: FileMetadata)
    /// A drop that holds its payload packed, and describes it in its header.
    case packed(OwnedDescriptor, facts: FileMetadata, header: DropHeader)

    /// As far as it is known before the first byte is read.
    var byteCount: UInt64? {
        switch self {
        case .bytes(let bytes): UInt64(bytes.count)
        case .file(_, let facts): facts?.size
        case .growingFile(_, let facts): facts.size
        case .packed(_, let facts, let header): max(facts.size, header.payloadByteCount)
        case .pipe: nil
        }
    }
}
