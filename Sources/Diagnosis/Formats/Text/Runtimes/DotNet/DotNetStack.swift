/// The stack of a .NET exception.
///
/// ```
///    at Stock.Ledger.Post(Entry entry) in /src/Stock/Ledger.cs:line 88
///    at System.Threading.Tasks.Task.ThrowIfExceptional(Boolean includeTaskCanceledExceptions)
///   at Stock.Program.Main () [0x00001] in <0dc1e9ab45f5485ab8cbb2b6cb3fc4b5>:0
/// ```
/// The last form is that of Mono. Source: `Exception.ToString` and `StackTrace.ToString` of the class library.
enum DotNetStack {
    /// A frame; `nil` for a line that is none.
    static func frame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard line.first?.isBlank == true, let call = line.trimmed.dropping("at "),
            let opening = call.firstIndex(of: UInt8(ascii: "("))
        else { return nil }
        let function = call[..<opening].trimmed
        guard !function.isEmpty, call[opening...].contains(UInt8(ascii: ")")) else { return nil }
        let place = call[opening...].lastRange(of: ") in ") ?? call[opening...].lastRange(of: "] in ")
        let location = place.flatMap { self.location(call[$0.upperBound...]) }
        return Crash.Frame(
            function: function.text, file: location?.file, line: location?.line,
            isOwn: !self.libraries.contains { function.starts(with: $0.utf8) })
    }

    private static let libraries = [
        "System.", "Microsoft.", "Interop.", "Interop+", "Internal.", "Mono.", "Newtonsoft.", "Xunit.", "NUnit.",
        "(wrapper", "<PrivateImplementationDetails>", "Npgsql.", "Grpc.", "Serilog.", "Polly.",
    ]

    /// `FILE:line NUMBER`, or `FILE:NUMBER` of Mono, which writes a hash where it knows no file.
    private static func location(_ text: ArraySlice<UInt8>) -> (file: String, line: Int64)? {
        guard text.first != UInt8(ascii: "<") else { return nil }
        if let end = text.lastRange(of: ":line "), let line = text[end.upperBound...].trimmed.decimalNumber {
            return (text[..<end.lowerBound].text, line)
        }
        return SourceLocation(text).map { ($0.file, $0.line) }
    }
}
