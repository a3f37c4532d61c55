/// A finding of Go's race detector, which lets the program go on.
///
/// ```
/// ==================
/// WARNING: DATA RACE
/// Write at 0x00c0000b4010 by goroutine 7:
///   main.(*ledger).post()
///       /srv/shop/ledger.go:31 +0x3c
///
/// Previous read at 0x00c0000b4010 by goroutine 6:
///   main.main()
///       /srv/shop/main.go:12 +0x84
/// ```
enum GoRaceFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("WARNING: DATA RACE")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            let lines = text.lines[(place + 1)...]
            guard let access = lines.first, access.contains(" by "), let address = access.after(" at ") else {
                continue
            }
            let stack = self.unindented(lines.dropFirst().prefix { $0.first?.isBlank == true })
            let header = Array("goroutine 0 [running]:".utf8)[...]
            var thread = GoStack.goroutines(in: ([header] + stack)[...], isCrash: true).first
            guard thread?.frames.isEmpty == false else { continue }
            thread?.number = access.after("goroutine ")?.leadingDigits?.decimalNumber
            var crash = Crash(
                program: text.origin?.name, process: text.origin?.process,
                cause: Crash.Cause(
                    type: "DATA RACE", message: (access.droppingSuffix(":") ?? access).text,
                    address: address.prefix { !$0.isBlank }.hexNumber))
            crash.runtime = Crash.Runtime(name: "Go")
            crash.threads = thread.map { [$0] } ?? []
            let subject = crash.subject(orElse: "go") ?? "go"
            return TextFinding(
                diagnosis: Diagnosis(
                    format: "go-race", contentType: ContentType.text, kind: .diagnostic,
                    summary: "\(subject): data race\(crash.place?.place ?? "")", crash: crash),
                severity: .finding, line: place)
        }
        return nil
    }

    /// The lines as a panic would have them: the functions without their indentation.
    private static func unindented(_ lines: some Sequence<ArraySlice<UInt8>>) -> [ArraySlice<UInt8>] {
        lines.prefix(TextBounds.frameCount).map { line in
            line.starts(with: "   ".utf8) ? line : line.trimmed
        }
    }
}
