import Digests
import DurableIO

/// A report on its way into a ``DraftResumableServer``: an upload resource, or the body of one ordinary request.
struct DraftUpload: Sendable {
    enum Phase: Sendable, Equatable {
        case open
        case complete
        /// Asked for, it is answered with this status.
        case inaccessible(status: Int)
    }

    /// Of the upload resource; `nil` for an ordinary request.
    let path: String?
    /// What `Location` says.
    let location: String
    /// The request that began it.
    let origin: ReceivedRequest
    /// In the server's seconds.
    let birth: Int
    var length: Int?
    var body: BodyRecord
    var phase = Phase.open
    /// The request that is sending content now.
    var transfer: Int?

    /// As the application is to see it: without what belongs to the draft.
    func report() -> ReceivedReport {
        let own = path == nil ? [] : ["upload-complete", "upload-length", "upload-draft-interop-version"]
        let fields = origin.headers.all.filter { !own.contains($0.name.lowercased()) }
        return ReceivedReport(
            method: origin.method, target: origin.target, headers: HeaderFields(fields), body: body.bytes,
            byteCount: body.byteCount, sha256: body.sha256, uploadPath: path)
    }
}

/// One request while its content comes in.
struct DraftTransfer: Sendable {
    let connection: Int
    let exchange: DraftExchange
    let upload: Int
    /// Where in the upload its content begins.
    let start: Int
    /// Whether the report ends with it.
    let isLast: Bool
    let contentDigest: [UInt8]?
    let fault: DraftFault?
    var byteCount = 0
    var hasher = ContentHash.Hasher()
    /// The offset from which on the next 104 is due.
    var nextProgress = 0

    /// After how many bytes of content the connection is to break.
    var breakOff: Int? {
        if case .breakOff(let byteCount) = fault { byteCount } else { nil }
    }
}

/// An upload resource as a test may look at it.
package struct UploadStatus: Sendable, Equatable {
    package var path: String
    package var offset: Int
    package var length: Int?
    package var isComplete: Bool
    /// Whether it still answers.
    package var isAccessible: Bool

    package init(path: String, offset: Int, length: Int?, isComplete: Bool, isAccessible: Bool) {
        self.path = path
        self.offset = offset
        self.length = length
        self.isComplete = isComplete
        self.isAccessible = isAccessible
    }
}
