/// A place in a Ruby program as backtraces write it: ``FILE:LINE:in `METHOD'``, or with two straight quotes since
/// Ruby 3.4, where the method's class stands before it: `FILE:LINE:in 'Class#method'`.
struct RubyFrame {
    var frame: Crash.Frame
    /// What stands behind the place.
    let rest: ArraySlice<UInt8>

    init?(_ line: ArraySlice<UInt8>) {
        guard let opening = line.range(of: ":in `") ?? line.range(of: ":in '"),
            let location = SourceLocation(line[..<opening.lowerBound]), location.column == nil
        else { return nil }
        let behind = line[opening.upperBound...]
        // No method's name holds a quotation mark and a colon.
        guard let closing = behind.range(of: "': ") ?? behind.lastRange(of: "'") else { return nil }
        self.frame = Crash.Frame(
            function: behind[..<closing.lowerBound].text, file: location.file, line: location.line,
            isOwn: Self.isOwn(file: location.file))
        self.rest = behind[(closing.lowerBound + 1)...]
    }

    /// Whether it is a file of the program, and neither of the runtime nor of a gem.
    static func isOwn(file: String) -> Bool {
        if file.hasPrefix("<internal:") || file.hasPrefix("/usr/lib/ruby/") || file.hasPrefix("/usr/share/ruby") {
            return false
        }
        return !["/gems/", "/lib/ruby/", "/vendor/bundle/", "/rubygems/"].contains { file.contains($0) }
    }

    /// The same stack without the marks on methods that are written in C.
    ///
    /// Ruby shows such a method at the line of its caller, as if it were the program's own.
    static func withoutBuiltIns(_ frames: [Crash.Frame]) -> [Crash.Frame] {
        var frames = frames
        for (inner, outer) in zip(frames.indices, frames.indices.dropFirst()) {
            guard frames[inner].file == frames[outer].file, frames[inner].line == frames[outer].line,
                let function = frames[inner].function, function != frames[outer].function
            else { continue }
            if !self.beginningsOfBlocks.contains(where: { function.hasPrefix($0) }) { frames[inner].isOwn = false }
        }
        return frames
    }

    private static let beginningsOfBlocks = ["block ", "rescue in ", "ensure in ", "<"]
}
