/// Hides the parts of a URL's path that may be tokens, as some collectors give one to each customer.
enum TokenMask {
    /// Of the shortest token that is hard to guess, in characters.
    private static let byteCount = 20

    /// The path with something else in place of each part that is long enough to be a token. Marks are no secrets.
    static func path(_ path: some StringProtocol, _ replacement: (String) -> String = { _ in "***" }) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).map { part in
            part.utf8.count < byteCount || part.contains("{") ? String(part) : replacement(String(part))
        }.joined(separator: "/")
    }

    /// The parts of a path that are hidden.
    static func tokens(in path: some StringProtocol) -> [String] {
        path.split(separator: "/").filter { $0.utf8.count >= byteCount && !$0.contains("{") }.map { String($0) }
    }
}
