import Glibc

/// Words for C: a list of texts that ends with NULL. The words are any bytes.
struct WordList: ~Copyable {
    /// Valid as long as the value lives.
    let pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    /// - Parameters:
    ///   - words: texts, which are copied.
    ///   - others: words that are not copied, and stand behind those.
    init(_ words: [String], followedBy others: [UnsafeMutablePointer<CChar>] = []) {
        pointer = .allocate(capacity: words.count + others.count + 1)
        pointer.initialize(repeating: nil, count: words.count + others.count + 1)
        for (index, word) in words.enumerated() { pointer[index] = strdup(word) }
        for (index, word) in others.enumerated() { pointer[words.count + index] = word }
        copiedCount = words.count
    }

    private let copiedCount: Int

    deinit {
        for index in 0..<copiedCount { free(pointer[index]) }
        pointer.deallocate()
    }
}
