package import Diagnosis
import Digests
import DurableIO

extension SpoolInspector {
    /// Hands a report's payload out as it was dropped, in pieces, in fixed memory.
    /// - Throws: ``ReportsError``: `noSuchReport` when its bytes are gone, `badPayload` when they are damaged.
    package func writePayload(of id: String, to output: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard let hash = ContentHash(hex: id), let (room, name) = try place(of: hash) else {
            let state = try record(id)?.state.rawValue
            throw ReportsError(
                .noSuchReport, "the payload of \(id) is not stored any more" + (state.map { ": it is \($0)" } ?? ""))
        }
        do {
            try inflate(name, in: room, expecting: hash, to: output)
        } catch let error as ZlibError {
            throw ReportsError(.badPayload, "the stored bytes of \(id) are damaged: \(error)", underlyingError: error)
        }
    }

    /// The largest payload that ``diagnosis(of:)`` reads to its end, in bytes. Of a larger one only the beginning counts.
    ///
    /// Text and JSON may have their crash at the end: 1 GiB, which takes about 3 s. Nearly all dumps have it in front:
    /// 64 MiB.
    private static func diagnosedByteCount(of properties: ReportProperties) -> UInt64 {
        properties.isText || properties.contentType.hasPrefix("application/json") ? 1 << 30 : 64 << 20
    }

    /// Reads a report's stored payload once more, and tells what it is and what crash is in it.
    ///
    /// It sees more of a large document than the collecting of the report did, so it may know more.
    /// - Returns: `nil` when the payload is not stored any more, or is damaged.
    /// - Throws: an error of the disk, or `CancellationError`.
    package func diagnosis(of id: String) throws -> Diagnosis? {
        struct Enough: Error {}
        guard let hash = ContentHash(hex: id), let (room, name) = try place(of: hash),
            let report = try? spool.stored(name, in: room)
        else { return nil }
        let isWhole = report.size <= Self.diagnosedByteCount(of: report.properties)
        let limit = isWhole ? UInt64.max : UInt64(PayloadWindow.largeHeadByteCount)
        var excerpt = PayloadExcerpt(headByteCount: PayloadWindow.largeHeadByteCount)
        var count: UInt64 = 0
        do {
            try inflate(name, in: room, expecting: hash) { bytes in
                excerpt.add(UnsafeRawBufferPointer(rebasing: bytes.prefix(Int(clamping: limit - count))))
                count += UInt64(bytes.count)
                if count >= limit { throw Enough() }
            }
        } catch is Enough {
            return excerpt.diagnosis(name: report.properties.name ?? [], of: Int(clamping: report.size))
        } catch is ZlibError {
            return nil
        } catch let error as ReportsError where error.code == .badPayload {
            return nil
        }
        return excerpt.diagnosis(name: report.properties.name ?? [])
    }

    /// Whether a stored file inflates to the payload that its name and its header promise.
    func holdsPayload(_ report: StoredReport, named name: EntryName, in room: Directory) throws -> Bool {
        var count: UInt64 = 0
        do {
            try inflate(name, in: room, expecting: report.id) { count += UInt64($0.count) }
        } catch is ZlibError {
            return false
        } catch let error as ReportsError where error.code == .badPayload {
            return false
        }
        return count == report.size
    }

    /// Where a report's bytes lie.
    private func place(of id: ContentHash) throws -> (Directory, EntryName)? {
        let name = StoredReport.name(of: id)
        for room in [spool.queued, spool.parked] where try spool.files.metadata(of: name, in: room) != nil {
            return (room, name)
        }
        let entry = try spool.files.entries(of: spool.collected).first { StoredReport.id(in: $0) == id }
        return entry.map { (spool.collected, $0) }
    }

    private func inflate(
        _ name: EntryName, in room: Directory, expecting id: ContentHash,
        to output: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let file = try spool.files.openFile(name, in: room)
        var inflater = try Inflater(.gzip)
        var hasher = ContentHash.Hasher()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try spool.files.read(file, into: buffer, at: nil)
            if count == 0 { break }
            do {
                try inflater.write(UnsafeRawBufferPointer(rebasing: buffer[..<count])) { bytes throws(any Error) in
                    hasher.update(bytes)
                    try output(bytes)
                }
            } catch {
                throw CompressionErrors.cause(of: error)
            }
            try Task.checkCancellation()
        }
        try inflater.finish()
        guard hasher.finish() == id else {
            throw ReportsError(.badPayload, "the stored bytes of \(id) are damaged: they are not what was collected")
        }
    }
}
