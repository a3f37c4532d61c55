package import DurableIO

/// The source of a payload's bytes, which is read once from beginning to end.
package enum PayloadSource: ~Copyable {
    case bytes([UInt8])
    /// A file that is read from its position. `facts` are the facts of the file before its first byte was read; `nil`
    /// when they cannot be compared.
    case file(OwnedDescriptor, facts: FileMetadata?)
    /// A pipe that was opened without waiting for its writer.
    case pipe(OwnedDescriptor)
    /// A file that may grow while it is read. If the file grows, the payload is a snapshot.
    case growingFile(OwnedDescriptor, facts: FileMetadata)
    /// A drop that has its payload in packed form, and describes the payload in a header.
    case packed(OwnedDescriptor, facts: FileMetadata, header: DropHeader)

    /// The number of bytes to be read, as far as it is known before the first byte is read.
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
