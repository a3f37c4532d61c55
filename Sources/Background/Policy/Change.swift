/// One thing to be changed in the request of a transfer, before the client sends it once more in the same attempt.
///
/// An answer may say what was wrong with a request: the time in its signature, a region, a condition that the server
/// does not know. A client that can mend this at once asks for it in its judgement (``Judgement/again``). Each sort of
/// change is made at most once in an attempt. Nothing of it is stored.
package struct Change: Hashable, Sendable {
    /// What is changed. The client that makes the change chooses the word.
    package let sort: String
    /// What it is changed to; `nil` where the sort says all.
    package let value: String?

    package init(_ sort: String, to value: String? = nil) {
        self.sort = sort
        self.value = value
    }
}
