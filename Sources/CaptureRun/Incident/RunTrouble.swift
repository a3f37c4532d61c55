import DurableIO

/// What keeps a run from being told of. It never keeps the program from running.
package struct RunTrouble: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }

    init(_ error: FileSystemError) {
        self.init(error.isOutOfSpace ? "\(error): free some space" : "\(error)")
    }
}
