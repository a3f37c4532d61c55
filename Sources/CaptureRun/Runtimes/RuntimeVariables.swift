/// The variables that make the runtimes of programs leave reports of their crashes in a directory.
package enum RuntimeVariables {
    /// - Parameters:
    ///   - inherited: the variables that the program would have, `NAME=VALUE`; each name may occur several times.
    ///   - directory: where the reports go.
    ///   - options: which of them are set.
    /// - Returns: the variables that the program gets.
    package static func applied(to inherited: [String], directory: String, _ options: RunOptions) -> [String] {
        inherited
    }
}
