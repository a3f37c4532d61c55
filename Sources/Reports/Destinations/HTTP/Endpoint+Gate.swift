import Background
import Digests
import DurableIO

extension Endpoint {
    /// The origin and the path, without the query: the name of a gate that one place at a server has for itself. Some
    /// servers have a token in the path, so a part of it that is long enough to be one is told by its digest.
    var maskedPlace: String {
        let parts = path.prefix { $0 != "?" }.split(separator: "/").joined(separator: "/")
        let place = TokenMask.path(parts) { "#\(ContentHash(of: Array($0.utf8)).hex.prefix(8))" }
        return "\(origin)/\(place)"
    }
}
