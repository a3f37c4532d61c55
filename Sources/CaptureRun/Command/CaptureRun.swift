/// Runs a program and tells a spool how it died.
package enum CaptureRun {
    /// - Parameter arguments: the command line behind the program's own name.
    /// - Returns: the exit status.
    package static func main(_ arguments: [String]) -> Int32 { 125 }
}
