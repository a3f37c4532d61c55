/// A failed assertion in the words of one of the libraries.
///
/// ```
/// shopd: src/ledger.c:12: settle: Assertion `open' failed.               glibc
/// Assertion failed: open (src/ledger.c: settle: 12)                       musl
/// Assertion failed: (open), function settle, file ledger.c, line 12.      the BSDs, macOS
/// assertion "open" failed: file "ledger.c", line 12, function: settle     newlib
/// Shop:ERROR:src/ledger.c:12:settle: assertion failed: (open)             GLib, below a line of two stars
/// (shopd:3144): Shop-ERROR **: 08:21:39.114: the ledger is closed         GLib's g_error
/// ASSERT: "open" in file ledger.cpp, line 12                              Qt
/// /usr/include/c++/12/bits/stl_vector.h:1123: T& at(int): Assertion '__n < size()' failed.      libstdc++
/// /usr/include/c++/v1/vector:1415: assertion __n < size() failed: vector[] index out of bounds  libc++
/// TRAP: failed Assert("open"), File: "ledger.c", Line: 12, PID: 3144      PostgreSQL
/// ```
struct FailedAssertion {
    let cause: Crash.Cause
    private(set) var frame: Crash.Frame?
    private(set) var program: String?
    private(set) var process: Int64?

    /// Reads the assertion that the first of some lines tells of; `nil` where none does.
    init?(_ lines: ArraySlice<ArraySlice<UInt8>>) {
        // An example in a text is indented.
        guard let line = lines.first, line.count <= 8_192, line.first?.isBlank == false else { return nil }
        let mark = line.range(of: ": Assertion `") ?? line.range(of: ": Assertion '")
        if let mark, let end = line.lastRange(of: "' failed.") {
            guard mark.upperBound <= end.lowerBound, end.upperBound == line.endIndex else { return nil }
            self.init(glibc: line[..<mark.lowerBound], expression: line[mark.upperBound..<end.lowerBound])
        } else if let mark = line.range(of: ": libc++ Hardening assertion ") ?? line.range(of: ": assertion ") {
            guard line.contains("/c++/"), let end = line[mark.upperBound...].range(of: " failed") else { return nil }
            self.init(glibc: line[..<mark.lowerBound], expression: line[mark.upperBound..<end.lowerBound])
        } else if let rest = line.dropping("TRAP: ") {
            self.init(postgres: rest)
        } else if let rest = line.dropping("Assertion failed: ") {
            self.init(bsd: rest)
        } else if let rest = line.dropping("assertion \"") {
            guard let failed = rest.range(of: "\" failed: file \"") else { return nil }
            self.init(fields: rest[failed.lowerBound...], expression: rest[..<failed.lowerBound])
        } else if let rest = line.dropping("ASSERT: ") {
            guard let place = rest.range(of: " in file ") else { return nil }
            self.init(fields: rest[place.lowerBound...], expression: rest[..<place.lowerBound])
        } else if let rest = line.dropping("ASSERT failure in ") {
            guard let place = rest.lastRange(of: ", file ") else { return nil }
            self.init(fields: rest[place.lowerBound...], expression: rest[..<place.lowerBound])
        } else if line.elementsEqual("**".utf8), let next = lines.dropFirst().first {
            self.init(glib: next)
        } else {
            self.init(glibError: line)
        }
    }

    private init(expression: ArraySlice<UInt8>, file: ArraySlice<UInt8>?, line: Int64?, function: ArraySlice<UInt8>?) {
        self.cause = Crash.Cause(type: "Assertion failed", message: expression.trimmed.text, signal: "SIGABRT")
        let function = function.flatMap { FunctionName.plain($0) }
        guard file != nil || function != nil else { return }
        self.frame = Crash.Frame(
            function: function, file: file?.text, line: line,
            isOwn: NativeOwnership.isOwn(function: function, file: file?.text))
    }

    /// `PROGRAM: FILE:LINE: FUNCTION`, where the C library leaves the program out for its own assertions.
    private init?(glibc place: ArraySlice<UInt8>, expression: ArraySlice<UInt8>) {
        var rest = place
        var program: ArraySlice<UInt8>?
        for _ in 0..<2 {
            let part = rest.before(": ") ?? rest
            if let location = SourceLocation(part), location.column == nil {
                let file = part[..<(part.lastIndex(of: UInt8(ascii: ":")) ?? part.endIndex)]
                self.init(expression: expression, file: file, line: location.line, function: rest.after(": "))
                self.program = program?.lastPathComponent.text
                return
            }
            program = part
            guard let next = rest.after(": "), !part.contains(0x20) else { return nil }
            rest = next
        }
        return nil
    }

    /// `failed Assert("EXPRESSION"), File: "FILE", Line: LINE, PID: PROCESS`
    private init?(postgres rest: ArraySlice<UInt8>) {
        guard let expression = rest.between("(\"", "\""), let file = rest.between("File: \"", "\""),
            let line = rest.after("Line: ")?.leadingDigits?.decimalNumber
        else { return nil }
        self.init(expression: expression, file: file, line: line, function: nil)
        self.process = rest.after("PID: ")?.leadingDigits?.decimalNumber
    }

    /// `(EXPRESSION), function FUNCTION, file FILE, line LINE.`, or with `(FILE: FUNCTION: LINE)` at its end.
    private init?(bsd rest: ArraySlice<UInt8>) {
        if let place = rest.range(of: ", function ") ?? rest.range(of: ", file ") {
            self.init(fields: rest[place.lowerBound...], expression: rest[..<place.lowerBound])
            return
        }
        guard let inner = rest.droppingSuffix(")"), let opening = inner.lastRange(of: " ("),
            let number = inner.lastRange(of: ": "), let line = inner[number.upperBound...].decimalNumber,
            opening.upperBound < number.lowerBound
        else { return nil }
        let place = inner[opening.upperBound..<number.lowerBound]
        guard let colon = place.range(of: ": ") else { return nil }
        self.init(
            expression: rest[..<opening.lowerBound], file: place[..<colon.lowerBound], line: line,
            function: place[colon.upperBound...])
    }

    /// `…, function FUNCTION, file FILE, line LINE.` in any order.
    private init?(fields: ArraySlice<UInt8>, expression: ArraySlice<UInt8>) {
        guard let number = fields.after("line ")?.leadingDigits?.decimalNumber,
            let file = fields.after("file ")?.prefix(while: { $0 != UInt8(ascii: ",") })
        else { return nil }
        let function = (fields.after("function: ") ?? fields.after("function "))?.prefix { $0 != UInt8(ascii: ",") }
        let plainFile = file.filter { $0 != UInt8(ascii: "\"") }
        self.init(expression: expression, file: plainFile[...], line: number, function: function)
    }

    /// `DOMAIN:ERROR:FILE:LINE:FUNCTION: assertion failed: (EXPRESSION)`
    private init?(glib line: ArraySlice<UInt8>) {
        guard let place = line.starts(with: "ERROR:".utf8) ? line.dropFirst(6) : line.after(":ERROR:"),
            let separator = place.range(of: ": "),
            let colon = place[..<separator.lowerBound].lastIndex(of: UInt8(ascii: ":")),
            let location = SourceLocation(place[..<colon])
        else { return nil }
        let message = place[separator.upperBound...]
        let file = place[..<colon].prefix { $0 != UInt8(ascii: ":") }
        self.init(
            expression: message.dropping("assertion failed: ") ?? message, file: file, line: location.line,
            function: place[(colon + 1)..<separator.lowerBound])
    }

    /// `(PROGRAM:PROCESS): DOMAIN-ERROR **: TIME: MESSAGE`, or `** (PROGRAM:PROCESS): ERROR **: MESSAGE`.
    private init?(glibError line: ArraySlice<UInt8>) {
        let line = line.dropping("** ") ?? line
        guard let inner = line.dropping("("), let end = inner.range(of: "): "), end.lowerBound - line.startIndex < 128,
            let colon = inner[..<end.lowerBound].lastIndex(of: UInt8(ascii: ":")),
            let process = inner[(colon + 1)..<end.lowerBound].decimalNumber,
            let level = inner[end.upperBound...].range(of: "ERROR **: ")
        else { return nil }
        var message = inner[level.upperBound...]
        // Since 2.56 the time of day stands before the message.
        let time = message.prefix { $0.isDigit || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
        if time.count == 13, let rest = message[(time.endIndex)...].dropping(" ") { message = rest }
        self.cause = Crash.Cause(type: "g_error", message: message.text, signal: "SIGTRAP")
        self.program = inner[..<colon].lastPathComponent.text
        self.process = process
    }
}
