package import Background
package import Diagnosis
import DurableIO

/// Looks at the payload of a report, for kinds of destinations that make a message of it.
extension OutgoingReport {
    /// Of how large a payload all is read for a diagnosis, in bytes: 64 MiB, which takes a third of a second. Of a
    /// larger one only the beginning counts.
    private static let diagnosedByteCount: UInt64 = 64 << 20

    /// The first bytes of the payload, at most `limit`.
    /// - Throws: ``NoAnswer`` when the stored bytes cannot be read, or are damaged.
    package func head(upTo limit: Int) throws(NoAnswer) -> [UInt8] {
        var bytes: [UInt8] = []
        try read(upTo: UInt64(limit)) { bytes += $0 }
        return bytes
    }

    /// What the payload is, and what crash is in it: by its first 4 MiB and its last 256 KiB.
    ///
    /// Only one report at a time is looked at in a process, so that the memory for it, some 10 to 20 MiB at the worst,
    /// is needed once however many reports are sent at the same time. `make` gets the diagnosis while no other is made.
    /// - Throws: ``NoAnswer`` when the stored bytes cannot be read, or are damaged.
    package func withDiagnosis<Result: Sendable>(
        _ make: (Diagnosis) throws(NoAnswer) -> Result
    ) async throws(NoAnswer) -> Result {
        let slot = try await Self.slot(for: stored.size)
        let result = try make(diagnosis())
        // The slot is given back when the message is made, and not before.
        withExtendedLifetime(slot) {}
        return result
    }

    private static func slot(for byteCount: UInt64) async throws(NoAnswer) -> PayloadSlot {
        do {
            return try await looking.slot(for: byteCount)
        } catch {
            throw NoAnswer.interrupted
        }
    }

    private static let looking = PayloadSlots(count: 1)

    private func diagnosis() throws(NoAnswer) -> Diagnosis {
        let isWhole = stored.size <= Self.diagnosedByteCount
        let limit = isWhole ? stored.size : UInt64(PayloadWindow.largeHeadByteCount)
        var excerpt = PayloadExcerpt(headByteCount: PayloadWindow.largeHeadByteCount, of: limit)
        try read(upTo: limit) { excerpt.add($0) }
        return excerpt.diagnosis(
            name: stored.properties.name ?? [], of: isWhole ? nil : Int(clamping: stored.size))
    }

    private func read(upTo limit: UInt64, _ give: (UnsafeRawBufferPointer) -> Void) throws(NoAnswer) {
        let body = try payload()
        try Self.read(body[0..<min(limit, body.byteCount)], through: files, give)
    }

    /// All bytes of a small body.
    static func bytes(of body: TransferBody, through files: any FileSystem) throws(NoAnswer) -> [UInt8] {
        var bytes: [UInt8] = []
        try read(body, through: files) { bytes += $0 }
        return bytes
    }

    private static func read(
        _ body: TransferBody, through files: any FileSystem, _ give: (UnsafeRawBufferPointer) -> Void
    ) throws(NoAnswer) {
        do throws(FileSystemError) {
            try body.readInPieces(through: files, give)
        } catch {
            throw NoAnswer.reading(error)
        }
        if Task.isCancelled { throw NoAnswer.interrupted }
    }
}
