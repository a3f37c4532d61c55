import Glibc

/// The mark of a writer on its own temporary file (`flock`), so that a cleaner takes only what nobody writes.
enum WriterMark {
    static func set(on file: borrowing OwnedDescriptor) -> Bool {
        flock(file.raw, LOCK_EX | LOCK_NB) == 0
    }
}
