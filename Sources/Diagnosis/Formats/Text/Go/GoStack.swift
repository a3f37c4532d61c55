/// The stacks of goroutines as the Go runtime writes them.
///
/// ```
/// goroutine 91 [chan receive, 5 minutes, locked to thread]:
/// main.(*hub).publish(0xc00012c000, {0x5bd0e0, 0x1f})
///         /src/pusherd/hub.go:58 +0x9a
/// created by main.main in goroutine 1
///         /src/pusherd/main.go:22 +0xe5
/// ```
enum GoStack {
    /// The number in the first line of a goroutine's stack; `nil` for any other line.
    static func header(_ line: ArraySlice<UInt8>) -> Int64? {
        guard let rest = line.dropping("goroutine "), let digits = rest.leadingDigits,
            rest[digits.endIndex...].starts(with: " ".utf8), rest.droppingSuffix("]:") != nil
        else { return nil }
        return digits.decimalNumber
    }

    /// Whether a line may begin a report.
    static func isTitle(_ line: ArraySlice<UInt8>) -> Bool {
        switch line.first {
        case UInt8(ascii: "p"): line.starts(with: "panic: ".utf8)
        case UInt8(ascii: "f"): line.starts(with: "fatal error: ".utf8)
        case UInt8(ascii: "S"): line.starts(with: "SIG".utf8)
        default: false
        }
    }

    /// How many lines of something else may stand between two stacks: a program that dies may still write its log.
    private static let maximumForeignLineCount = 64

    /// Reads the goroutines from the first line of the first one on, up to the next report.
    /// - Parameters:
    ///   - lines: begin with the header of a goroutine.
    ///   - isCrash: whether the first goroutine is the one that failed.
    ///   - limit: the most goroutines to read.
    /// - Returns: the goroutines, in the order of the lines.
    static func goroutines(
        in lines: ArraySlice<ArraySlice<UInt8>>, isCrash: Bool, limit: Int = TextBounds.threadCount
    ) -> [Crash.Thread] {
        var threads: [Crash.Thread] = []
        var isOpen = false
        var foreignLineCount = 0
        for line in lines {
            if let number = self.header(line) {
                guard threads.count < limit else { break }
                var thread = Crash.Thread(number: number, isCrashed: isCrash && threads.isEmpty, frames: [])
                thread.state = line.between("[", "]:")?.text.nonEmpty
                threads.append(thread)
                (isOpen, foreignLineCount) = (true, 0)
            } else if self.isTitle(line) {
                break
            } else if let last = threads.indices.last, isOpen {
                isOpen = self.add(line, to: &threads[last].frames)
            } else {
                foreignLineCount += 1
                if foreignLineCount > self.maximumForeignLineCount { break }
            }
        }
        return threads
    }

    /// - Returns: whether the stack may go on behind the line.
    private static func add(_ line: ArraySlice<UInt8>, to frames: inout [Crash.Frame]) -> Bool {
        guard let first = line.first else { return false }
        // Some collectors write a tab as a number.
        if first.isBlank || line.starts(with: "#011".utf8) {
            let line = line.dropping("#011") ?? line
            // `/src/pusherd/hub.go:58 +0x9a fp=0xc0000 sp=0xc0000 pc=0x45f2a3`
            let path = line.range(of: " +0x").map { line[..<$0.lowerBound] } ?? line
            let withoutRegisters = path.range(of: " fp=0x").map { path[..<$0.lowerBound] } ?? path
            guard let location = SourceLocation(withoutRegisters), let last = frames.indices.last else { return true }
            frames[last].file = location.file
            frames[last].line = location.line
            frames[last].address = line.after(" pc=").map { $0.prefix { $0 > 0x20 } }?.hexNumber
            frames[last].isOwn = frames[last].isOwn && self.isOwn(file: location.file)
            return true
        }
        if line.starts(with: "...".utf8) { return true }
        guard frames.count < TextBounds.frameCount, let name = self.function(line) else { return false }
        frames.append(name)
        return true
    }

    /// `main.(*hub).publish(0xc00012c000, {0x5bd0e0, 0x1f})`, or `created by main.main in goroutine 1`.
    private static func function(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        let name: ArraySlice<UInt8>
        if let creator = line.dropping("created by ") {
            name = creator.before(" in goroutine ") ?? creator
        } else {
            guard line.last == UInt8(ascii: ")"), let arguments = line.lastRange(of: "(") else { return nil }
            name = line[..<arguments.lowerBound]
        }
        guard !name.isEmpty, !name.contains(0x20) else { return nil }
        let package = self.package(of: name)
        return Crash.Frame(function: name.text, module: package.nonEmpty, isOwn: self.isOwn(package: package))
    }

    /// `net/http` of `net/http.(*conn).serve`; nothing of `panic`.
    private static func package(of function: ArraySlice<UInt8>) -> String {
        let path = function.prefix { $0 != UInt8(ascii: "(") && $0 != UInt8(ascii: "[") }
        let start = path.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
        return path[start...].firstIndex(of: UInt8(ascii: ".")).map { path[..<$0].text } ?? ""
    }

    // MARK: - Whose code it is

    /// The first elements of the paths of the standard library's packages.
    private static let standardLibrary: Set<String> = [
        "archive", "bufio", "builtin", "bytes", "cmp", "compress", "container", "context", "crypto", "database",
        "debug", "embed", "encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index",
        "internal", "io",
        "iter", "log", "maps", "math", "mime", "net", "os", "path", "plugin", "reflect", "regexp", "runtime", "slices",
        "sort", "strconv", "strings", "structs", "sync", "syscall", "testing", "text", "time", "unicode", "unique",
        "unsafe", "vendor", "weak",
    ]

    private static func isOwn(package: String) -> Bool {
        let first = package.prefix { $0 != "/" }
        return !first.isEmpty && !self.standardLibrary.contains(String(first))
    }

    /// Whether a file is neither of the standard library nor of a module that was fetched.
    private static func isOwn(file: String) -> Bool {
        let path = Array(file.utf8)[...]
        let isFetched = path.contains("/pkg/mod/") || path.contains("/vendor/") || path.contains("@v")
        let isStandard =
            path.contains("/go/src/runtime/") || file.hasPrefix("/usr/local/go/") || file.hasPrefix("/usr/lib/go")
        return !isFetched && !isStandard && !file.hasPrefix("_cgo_")
    }
}
