/// Hides the parts of a URL's path that may be tokens, as some collectors give one to each customer.
enum TokenMask {
    /// Of the shortest token that is hard to guess, in characters.
    private static let byteCount = 20

    /// The path with something else in place of each part that is long enough to be a token. Marks are no secrets.
    /// - Parameters:
    ///   - path: of a URL.
    ///   - known: a text that is no secret either, as the id of the report in place of its mark. The default is none.
    ///   - replacement: what stands in place of a token. The default is `***`.
    /// - Returns: the path without tokens.
    static func path(
        _ path: some StringProtocol, besides known: String = "", _ replacement: (String) -> String = { _ in "***" }
    ) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).map { part in
            isToken(String(part), besides: known) ? replacement(String(part)) : String(part)
        }.joined(separator: "/")
    }

    /// The parts of a path that are hidden.
    static func tokens(in path: some StringProtocol, besides known: String = "") -> [String] {
        path.split(separator: "/").map { String($0) }.filter { isToken($0, besides: known) }
    }

    private static func isToken(_ part: String, besides known: String) -> Bool {
        let rest = known.isEmpty ? part : part.replacing(known, with: "")
        return rest.utf8.count >= byteCount && !rest.contains("{")
    }
}
