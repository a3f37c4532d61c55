/// One row of the ledger: a transfer, its schedule, and the facts about it.
package struct TransferRecord: Sendable {
    package var rowID: Int64
    /// The stable name of the transfer. Each name has one row.
    package var identifier: String
    /// The lane, which says where the transfer goes.
    package var lane: Lane
    /// The client's own word for the kind of transfer.
    package var label: String
    /// The rank. Rank 0 is sent first and evicted last, then rank 1, then rank 2.
    package var rank: Int
    /// The client's own JSON.
    package var metadata: String
    /// The size of the body, in bytes.
    package var byteCount: Int64
    /// How many times the content was handed in.
    package var seen: Int64
    /// Wall-clock milliseconds since the epoch.
    package var firstSeenWall: Int64
    package var lastSeenWall: Int64
    package var state: TransferState
    package var reason: TransferReason?
    /// The details of the reason for this transfer, as a sentence for people.
    package var note: String?
    /// The due time, in milliseconds on the ledger's axis.
    package var due: Int64?
    package var isSuspect: Bool
    package var attempts: Int
    package var charged: Int
    package var failures: Int
    package var strikes: Int
    package var acceptedMark: Int64?
    package var enrolledAt: Int64
    package var settledAt: Int64?
    package var lastStatus: Int?
    package var lastError: String?
    package var receipt: String?
    /// The transfer's own request; `nil` when its lane's destination makes it.
    package var request: StoredRequest?
    package var answer: String?
    package var isAcknowledged: Bool
    /// How far a transfer that goes in parts has come, in the client's own text; `nil` at the beginning.
    package var progress: String?
    /// The attempts that deadlines and signals have cut.
    package var cuts: CutAttempts

    /// The request of a transfer without secrets: it has the names of the header fields and not their values.
    package struct StoredRequest: Hashable, Sendable {
        package var origin: String
        package var method: String
        package var url: String
        package var headerNames: [String]
        /// The path of the file to be uploaded, or of the file that a download writes.
        package var bodyPath: String
        /// 64 hexadecimal digits that are the same for the same work: the SHA-256 of the content to be sent, or of the
        /// method and the URL of a download.
        package var bodyHash: String

        package init(
            origin: String, method: String, url: String, headerNames: [String], bodyPath: String, bodyHash: String
        ) {
            self.origin = origin
            self.method = method
            self.url = url
            self.headerNames = headerNames
            self.bodyPath = bodyPath
            self.bodyHash = bodyHash
        }
    }

    static let columns = """
        id, identifier, label, metadata, byte_count, seen, first_seen_wall, last_seen_wall, state, reason, due_at, \
        is_suspect, attempts, charged, failures, strikes, accepted_mark, enrolled_at, settled_at, last_status, \
        last_error, receipt, lane, method, url, header_names, body_path, body_hash, answer, is_acknowledged, \
        progress, rank, note, cuts, cut_byte_count, cut_ms
        """

    init(_ row: SQLiteStatement) {
        rowID = row.integer(at: 0)
        identifier = row.text(at: 1) ?? ""
        label = row.text(at: 2) ?? ""
        metadata = row.text(at: 3) ?? "{}"
        byteCount = row.integer(at: 4)
        seen = row.integer(at: 5)
        firstSeenWall = row.integer(at: 6)
        lastSeenWall = row.integer(at: 7)
        // The table's CHECK admits no other word.
        state = row.text(at: 8).flatMap(TransferState.init) ?? .queued
        reason = row.text(at: 9).flatMap(TransferReason.init)
        due = row.optionalInteger(at: 10)
        isSuspect = row.integer(at: 11) != 0
        attempts = Int(row.integer(at: 12))
        charged = Int(row.integer(at: 13))
        failures = Int(row.integer(at: 14))
        strikes = Int(row.integer(at: 15))
        acceptedMark = row.optionalInteger(at: 16)
        enrolledAt = row.integer(at: 17)
        settledAt = row.optionalInteger(at: 18)
        lastStatus = row.optionalInteger(at: 19).map { Int($0) }
        lastError = row.text(at: 20)
        receipt = row.text(at: 21)
        lane = Lane(row.text(at: 22) ?? "")
        if let origin = lane.ownOrigin {
            request = StoredRequest(
                origin: origin, method: row.text(at: 23) ?? "", url: row.text(at: 24) ?? "",
                headerNames: (row.text(at: 25) ?? "").split(separator: "\n").map(String.init),
                bodyPath: row.text(at: 26) ?? "", bodyHash: row.text(at: 27) ?? "")
        }
        answer = row.text(at: 28)
        isAcknowledged = row.integer(at: 29) != 0
        progress = row.text(at: 30)
        rank = Int(row.integer(at: 31))
        note = row.text(at: 32)
        cuts = CutAttempts(
            count: Int(row.integer(at: 33)),
            rate: BodyRate(byteCount: row.integer(at: 34), milliseconds: row.integer(at: 35)))
    }
}

/// A transfer to be enrolled.
package struct NewTransfer: Sendable {
    package var identifier: String
    package var lane: Lane
    package var label: String
    package var rank: Int
    package var metadata: String
    package var byteCount: Int64
    /// The time at which the content was seen, in milliseconds since the epoch.
    package var seenWall: Int64
    package var request: TransferRecord.StoredRequest?
    /// Why it is kept and not sent, for people; `nil` for a transfer that is sent.
    package var routeNote: String?
    /// What transfers of the same fault have in common; `nil` where there is nothing to group by.
    package var signature: String?
    /// The program that the content is about; `nil` where nothing names it.
    package var service: String?
    /// When what the content tells of happened, in milliseconds since the epoch; `nil` where nothing says it.
    package var occurredWall: Int64?

    /// The signature under which the limit of a signature counts the transfer; `nil` for a transfer that this limit
    /// neither counts nor evicts, as one with a request of its own.
    package var countedSignature: String? { request == nil ? signature : nil }

    /// Makes a transfer for the lane of a destination. A transfer with a request of its own gets the lane of that
    /// request's origin.
    package init(
        identifier: String, lane: Lane, label: String, rank: Int, metadata: String, byteCount: Int64, seenWall: Int64,
        request: TransferRecord.StoredRequest? = nil, signature: String? = nil
    ) {
        self.identifier = identifier
        self.lane = request.map { .own($0.origin) } ?? lane
        self.label = label
        self.rank = rank
        self.metadata = metadata
        self.byteCount = byteCount
        self.seenWall = seenWall
        self.request = request
        self.signature = signature
    }
}

/// One attempt of a transfer, as the ledger keeps it. Times are wall-clock milliseconds since the epoch.
package struct AttemptRecord: Hashable, Sendable {
    package var number: Int
    package var startedWall: Int64
    /// The end of the attempt; `nil` when the process died during the attempt.
    package var endedWall: Int64?
    package var status: Int?
    package var error: String?
    package var bytesSent: Int64?
    /// The wait that the server asked for, in milliseconds.
    package var retryAfter: Int64?
}
