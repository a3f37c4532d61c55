package import DurableIO

/// Why an attempt brought no answer. The text of a case is a sentence for people, without anything secret.
package enum NoAnswer: Error, Hashable, Sendable {
    /// The connection could not be made, or ended.
    case failure(TransportFailure)
    /// The peer's certificate was not accepted.
    case untrusted(String)
    /// The body cannot be sent: it is damaged, or was changed since it was enqueued.
    case unsendable(String)
    /// A read of the body failed, as on a bad disk; the next one may not.
    case failedRead(String)
    /// There is no body any more.
    case missing
    /// This machine could not send it just now, as with too many open files, whatever the server or the body are like.
    case localTrouble(String)
    /// Nothing was sent: the program that knows a part of the request could not say it just now.
    case unprepared(String)
    /// Nothing was sent: no program has given the request, or the one that was given cannot be used.
    case withheld(String)
    /// Nothing was sent: the destination does not take such transfers.
    case notAdmitted(String)
    /// The queue stopped the attempt.
    case interrupted

    /// Of an error met while a body was read: the file is to blame for what it does not give, and this machine for too
    /// many open files.
    package static func reading(_ error: FileSystemError) -> NoAnswer {
        // The task was cancelled between two blocks.
        if error.errno == .canceled { return .interrupted }
        guard error.operation == .read else { return .localTrouble("\(error)") }
        if error.errno == .badMessage {
            return .unsendable("the stored file is damaged: its bytes are not those that were stored")
        }
        return error.errno == .ioError ? .failedRead("\(error)") : .unsendable("\(error)")
    }

    /// For people.
    package var text: String {
        switch self {
        case .failure(let failure): failure.description
        case .untrusted(let text), .unsendable(let text), .failedRead(let text), .localTrouble(let text),
            .unprepared(let text), .withheld(let text), .notAdmitted(let text):
            text
        case .missing: "bytes missing"
        case .interrupted: "interrupted"
        }
    }

    /// How much of the request had left this machine, in bytes.
    package var bytesSent: UInt64 {
        if case .failure(let failure) = self { failure.bytesSent } else { 0 }
    }

    /// Whether it says something about the origin. The rest is this machine's own trouble, or the body's.
    package var concernsOrigin: Bool {
        switch self {
        case .failure(let failure): !failure.isInterruption
        case .untrusted: true
        default: false
        }
    }
}

/// A request that was not answered because the connection failed.
package struct TransportFailure: Hashable, Sendable, CustomStringConvertible {
    /// For people, without anything secret.
    package var description: String
    /// Whether a connection was made at all.
    package var didConnect: Bool
    package var bytesSent: UInt64
    /// Whether the connection ended under the request, as one does that had been idle for too long.
    package var isConnectionLost: Bool
    /// How long the transfer rests at least, in milliseconds: set where the server may have the transfer, and may take
    /// a second copy for another one. `nil`, the default, leaves the wait to the policy.
    package var rest: Int64?
    /// Whether the queue stopped the attempt when all of the request had been sent: the origin has not failed, and the
    /// transfer rests.
    package var isInterruption = false

    package init(_ description: String, didConnect: Bool, bytesSent: UInt64, isConnectionLost: Bool = false) {
        self.description = description
        self.didConnect = didConnect
        self.bytesSent = bytesSent
        self.isConnectionLost = isConnectionLost
    }
}
