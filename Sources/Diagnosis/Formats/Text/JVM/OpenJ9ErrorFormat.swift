/// What an OpenJ9 machine writes to its standard error when it crashes.
///
/// ```
/// Unhandled exception
/// Type=Segmentation error vmState=0x00040000
/// J9Generic_Signal_Number=00000018 Signal_Number=0000000b Error_Value=00000000 Signal_Code=00000001
/// Module=/srv/shop/libtill.so
/// Module_base_address=00007F1C2A000000 Symbol=till_open
/// ----------- Stack Backtrace -----------
/// till_open+0x9 (0x00007F1C2A001139 [libtill.so+0x1139])
/// ---------------------------------------
/// ```
enum OpenJ9ErrorFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("Type=")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.prefix(64) where text.lines[place].contains(" vmState=") {
            let lines = text.lines[place...].prefix(256)
            guard let number = lines.dropFirst().prefix(8).lazy.compactMap({ $0.after(" Signal_Number=") }).first else {
                continue
            }
            let signal = number.prefix { $0 > 0x20 }.hexNumber.map { SignalName.linux(Int(clamping: $0)) }
            let type = text.lines[place].between("Type=", " vmState=")?.text
            var crash = Crash(
                program: text.origin?.name ?? "java", process: text.origin?.process,
                cause: Crash.Cause(type: signal ?? type ?? "Unhandled exception", message: type, signal: signal))
            crash.threads = [Crash.Thread(isCrashed: true, frames: self.frames(in: lines))]
            crash.runtime = Crash.Runtime(name: "OpenJ9")
            return TextFinding(
                diagnosis: Diagnosis(
                    format: "jvm-openj9", contentType: ContentType.text, kind: .crash, summary: crash.summary(),
                    crash: crash),
                severity: .fatal, line: place)
        }
        return nil
    }

    private static func frames(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        if let start = lines.firstIndex(where: { $0.contains("-- Stack Backtrace --") }) {
            let frames = lines[(start + 1)...].lazy.map(self.frame).prefix { $0 != nil }.compactMap { $0 }
            if !frames.isEmpty { return Array(frames) }
        }
        // Without a stack the function at fault is named at least.
        let module = lines.lazy.compactMap { $0.dropping("Module=") }.first?.text
        guard let symbol = lines.lazy.compactMap({ $0.after(" Symbol=") }).first?.trimmed.text.nonEmpty else {
            return []
        }
        return [Crash.Frame(function: symbol, module: module, isOwn: self.isOwn(symbol, module: module))]
    }

    /// `NAME+0x9 (0x00007F1C2A001139 [libtill.so+0x1139])`; the name may be missing.
    private static func frame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard let open = line.range(of: "(0x"), let inner = line.between(" [", "])"),
            let plus = inner.lastRange(of: "+0x")
        else { return nil }
        let name = line[..<open.lowerBound].trimmed
        let function = (name.before("+0x") ?? name).text.nonEmpty
        let module = inner[..<plus.lowerBound].text
        return Crash.Frame(
            function: function, module: module,
            address: line[open.upperBound...].prefix { $0.hexValue != nil }.hexNumber,
            moduleOffset: inner[plus.upperBound...].hexNumber, isOwn: self.isOwn(function, module: module))
    }

    private static func isOwn(_ function: String?, module: String?) -> Bool {
        let name = module?.lastPathComponent ?? ""
        return !name.hasPrefix("libj9") && !name.hasPrefix("libjvm") && !name.hasPrefix("libomr")
            && !name.hasPrefix("libjli") && NativeOwnership.isOwn(function: function, module: module)
    }
}
