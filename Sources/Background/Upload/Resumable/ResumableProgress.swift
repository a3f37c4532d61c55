import Digests
import DurableIO

/// The facts that an upload in parts remembers, so that a later attempt, perhaps in another process, continues where
/// the server is.
struct ResumableProgress: Hashable, Sendable {
    /// The SHA-256 of where the whole would go and in which form, in hexadecimal: progress made towards another
    /// address, or with other bytes, is worth nothing, and the address itself may hold what is not to be written down.
    var target: String
    /// Of the whole, in bytes.
    var byteCount: UInt64
    /// Of the draft, as the server speaks it.
    var version: InteropVersion
    /// Where the parts go, on the target's own origin.
    var resource: String
    /// What the server has acknowledged, in bytes; it alone says how much that is now.
    var offset: UInt64
    /// The most one part may have, as far as the server has said or shown it.
    var partLimit: UInt64
    /// How often in a row there was trouble, and the server had no more than ever before.
    var stalls = 0
    /// The most it ever had. Servers that do not agree with each other go to and fro below that for ever.
    var furthest: UInt64 = 0
    /// How often an attempt has ended at the server's wish to be waited for since it last took anything.
    var waits = 0

    /// Words without spaces, in this order, all on one line.
    var text: String {
        "\(version.rawValue) \(offset) \(furthest) \(partLimit) \(stalls) \(byteCount) \(resource) \(target)"
            + " \(waits)"
    }

    /// What is remembered of an upload whose server has taken nothing yet, but was waited for.
    static func text(waits: Int, before request: TransferRequest) -> String { "\(waits) \(target(of: request))" }

    /// The same, read; 0 where nothing of the kind is remembered of this request.
    static func waits(text: String, before request: TransferRequest) -> Int {
        let words = text.split(separator: " ")
        guard words.count == 2, words[1] == target(of: request) else { return 0 }
        return Int(words[0]) ?? 0
    }

    /// Takes the server's word for how much it has.
    /// - Returns: whether that is more than ever before.
    mutating func move(to offset: UInt64, afterTrouble: Bool) -> Bool {
        self.offset = offset
        let hasAdvanced = offset > furthest
        if hasAdvanced {
            furthest = offset
            stalls = 0
            waits = 0
        } else if afterTrouble {
            stalls += 1
        }
        return hasAdvanced
    }

    static func target(of request: TransferRequest) -> String {
        let form = [.contentEncoding, .contentType].map { request.fields[$0] ?? "" }.joined(separator: "\n")
        return ContentHash(of: Array("\(request.endpoint)\n\(request.bodyByteCount)\n\(form)".utf8)).hex
    }

    init(of request: TransferRequest, version: InteropVersion, resource: String, partLimit: UInt64) {
        target = Self.target(of: request)
        byteCount = request.bodyByteCount
        self.version = version
        self.resource = resource
        self.partLimit = partLimit
        offset = 0
    }

    init?(text: String) {
        let words = text.split(separator: " ")
        guard words.count == 9, let version = Int(words[0]).flatMap(InteropVersion.init),
            let offset = UInt64(words[1]), let furthest = UInt64(words[2]), let partLimit = UInt64(words[3]),
            let stalls = Int(words[4]), let byteCount = UInt64(words[5]), let waits = Int(words[8])
        else { return nil }
        self.version = version
        self.offset = offset
        self.partLimit = partLimit
        self.stalls = stalls
        self.furthest = furthest
        self.byteCount = byteCount
        resource = String(words[6])
        target = String(words[7])
        self.waits = waits
    }
}

extension TransferRecord {
    /// How much of the body the server has acknowledged, and of how much, in bytes; `nil` unless it goes by parts.
    package var uploaded: (offset: UInt64, byteCount: UInt64)? {
        progress.flatMap(ResumableProgress.init).map { ($0.offset, $0.byteCount) }
    }
}
