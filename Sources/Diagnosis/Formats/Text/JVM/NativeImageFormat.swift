/// A crash of a program that GraalVM has compiled to a native image.
///
/// ```
/// [ [ SegfaultHandler caught a segfault in thread 0x00007f1c2a001000 ] ]
/// siginfo: si_signo: 11, si_code: 1, si_addr: 0x0000000000000028
/// Stacktrace for the failing thread 0x00007f1c2a001000 (A=AOT compiled, J=JIT compiled, D=deoptimized, i=inlined):
///   A  SP 0x00007ffd4a1b2c30 IP 0x0000000000501139 size=48    com.example.shop.Till.open(Till.java:12)
/// ```
/// Source: `SubstrateSegfaultHandler` and `ThreadStackPrinter` of GraalVM's `substratevm`.
enum NativeImageFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("[ [ SegfaultHandler caught"), .beginning("[ [ SubstrateSegfaultHandler caught"),
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        guard let place = places.first else { return nil }
        let lines = text.lines[(place + 1)...].prefix(4_096)
        var cause = Crash.Cause(type: "SIGSEGV", signal: "SIGSEGV")
        guard let signal = lines.first(where: { $0.trimmed.starts(with: "siginfo: ".utf8) }) else { return nil }
        if let number = signal.after("si_signo: ")?.leadingDigits?.decimalNumber, (1...31).contains(number) {
            cause.signal = SignalName.linux(Int(number))
            cause.type = SignalName.linux(Int(number))
        }
        cause.address = signal.after("si_addr: ")?.prefix { $0 > 0x20 && $0 != UInt8(ascii: ",") }.hexNumber
        var crash = Crash(program: text.origin?.name, process: text.origin?.process, cause: cause)
        crash.runtime = Crash.Runtime(name: "GraalVM native image")
        if let start = lines.firstIndex(where: { $0.trimmed.starts(with: "Stacktrace for the failing thread".utf8) }) {
            let frames = lines[(start + 1)...].lazy.map(self.frame).prefix { $0 != nil }.compactMap { $0 }
            crash.threads = [Crash.Thread(isCrashed: true, frames: Array(frames))]
        }
        return TextFinding(
            diagnosis: Diagnosis(
                format: "jvm-native-image", contentType: ContentType.text, kind: .crash,
                summary: crash.summary(subject: "java"), crash: crash),
            severity: .fatal, line: place)
    }

    private static func frame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard let pointer = line.range(of: "IP 0x"), line.contains("SP ") else { return nil }
        let address = line[pointer.upperBound...].prefix { $0.hexValue != nil }.hexNumber
        guard let open = line.lastIndex(of: UInt8(ascii: "(")), open > pointer.upperBound else {
            return Crash.Frame(address: address, isOwn: false)
        }
        let start = line[..<open].lastIndex(of: 0x20).map { $0 + 1 } ?? line.startIndex
        let place = SourceLocation(line[(open + 1)...].prefix { $0 != UInt8(ascii: ")") })
        let function = line[start..<open]
        let isMachine = function.starts(with: "com.oracle.svm.".utf8) || function.starts(with: "org.graalvm.".utf8)
        return Crash.Frame(
            function: function.text.nonEmpty, file: place?.file, line: place?.line, address: address,
            isOwn: !isMachine && JavaStack.isOwn(function: function, module: nil))
    }
}
