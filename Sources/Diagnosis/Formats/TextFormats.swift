/// All formats of text. A new format is one line here.
enum TextFormats {
    static let all: [any TextFormat.Type] = [
        // Swift
        SwiftTextFormat.self,
        SwiftErrorOutputFormat.self,
        SwiftBacktraceLineFormat.self,

        // Other languages that are compiled
        RustPanicFormat.self,
        GoPanicFormat.self,
        GoRaceFormat.self,
        OCamlExceptionFormat.self,
        HaskellErrorFormat.self,
        ZigPanicFormat.self,
        NimExceptionFormat.self,
        DExceptionFormat.self,
        AdaExceptionFormat.self,
        CrystalExceptionFormat.self,
        KotlinNativeFormat.self,

        // C and C++: libraries, checkers, compilers, debuggers, shells
        SanitizerFormat.self,
        LibFuzzerFormat.self,
        ValgrindTextFormat.self,
        ValgrindXMLFormat.self,
        GlibcAbortFormat.self,
        TerminateFormat.self,
        AssertionFormat.self,
        FatalLogFormat.self,
        SignalStackFormat.self,
        BackwardStackFormat.self,
        GdbFormat.self,
        LldbFormat.self,
        LLVMCrashFormat.self,
        GCCInternalErrorFormat.self,
        ShellDeathFormat.self,

        // Interpreters and managed runtimes
        PythonTracebackFormat.self,
        PythonFaultFormat.self,
        RubyExceptionFormat.self,
        RubyBugFormat.self,
        PHPErrorFormat.self,
        NodeErrorFormat.self,
        NodeFatalFormat.self,
        DenoErrorFormat.self,
        BunErrorFormat.self,
        DotNetFormat.self,
        ErlangCrashDumpFormat.self,
        ErlangReportFormat.self,
        ElixirExceptionFormat.self,
        PerlFormat.self,
        LuaErrorFormat.self,
        DartExceptionFormat.self,
        JuliaErrorFormat.self,

        // Java
        JavaExceptionFormat.self,
        HotSpotErrorFormat.self,
        JavaThreadDumpFormat.self,
        OpenJ9CoreFormat.self,
        OpenJ9ErrorFormat.self,
        NativeImageFormat.self,

        // Systems
        KernelFormat.self,
        SystemdExitFormat.self,
        CoreDumpTextFormat.self,
        ApportFormat.self,
        ABRTFormat.self,
        AppleCrashFormat.self,
        ObjectiveCExceptionFormat.self,
        AndroidTombstoneFormat.self,
        AndroidExceptionFormat.self,
        AndroidHangFormat.self,
    ]

    /// The worst that the texts of a window hold; `nil` where no format finds anything.
    static func read(_ window: PayloadWindow) -> Diagnosis? {
        guard WordFilter.shared.mayHold(window), !DocumentMarkup.isDocument(window) else { return nil }
        guard let finding = self.read(CapturedText.texts(in: window)) else { return nil }
        var diagnosis = finding.diagnosis
        diagnosis.endsProcess = finding.severity == .fatal
        return diagnosis
    }

    /// The worst that several texts hold; `nil` where no format finds anything.
    static func read(_ texts: [CapturedText]) -> TextFinding? {
        var worst: TextFinding?
        for text in texts {
            let examples = DocumentMarkup.examples(in: text.lines)
            for (format, places) in MarkTable.shared.places(in: text) {
                let places = examples.isEmpty ? places : places.filter { !examples.contains($0) }
                guard !places.isEmpty, let finding = self.all[format].read(text, at: places) else { continue }
                guard let known = worst else {
                    worst = finding
                    continue
                }
                if (finding.severity, finding.line) >= (known.severity, known.line) { worst = finding }
            }
        }
        return worst
    }
}
