import Background
import DurableIO

extension Endpoint {
    /// The origin and the path, without the query: the name of a gate that one place at a server has for itself. Some
    /// servers have a token in the path, so a part of it that is long enough to be one is told by its digest.
    var maskedPlace: String {
        let parts = path.prefix { $0 != "?" }.split(separator: "/").map { part in
            part.utf8.count < Self.tokenByteCount
                ? String(part) : "#\(ContentHash(of: Array(part.utf8)).hex.prefix(8))"
        }
        return "\(origin)/\(parts.joined(separator: "/"))"
    }

    /// Of the shortest token that is hard to guess, in characters.
    private static let tokenByteCount = 20
}
