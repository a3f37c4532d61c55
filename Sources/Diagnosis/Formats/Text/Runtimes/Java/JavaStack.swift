/// The stack of a Java exception, as `Throwable.printStackTrace` writes it.
///
/// ```
///         at com.shop.Ledger.post(Ledger.java:88)
///         at java.base/java.util.ArrayList.forEach(ArrayList.java:1511)
///         at app//com.shop.Till.main(Unknown Source)
///         ... 3 more
/// ```
enum JavaStack {
    /// A frame; `nil` for a line that is none.
    static func frame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard line.first?.isBlank == true, let call = line.trimmed.dropping("at "),
            let opening = call.firstIndex(of: UInt8(ascii: "(")),
            let closing = call[opening...].firstIndex(of: UInt8(ascii: ")"))
        else { return nil }
        var function = call[..<opening]
        guard !function.isEmpty, !function.contains(0x20), function.contains(UInt8(ascii: ".")) else { return nil }
        // A class loader and a module may stand before the class: `app//`, `java.base@17/`, `loader/module@1.0/`.
        var module: ArraySlice<UInt8>?
        if let slash = function.lastIndex(of: UInt8(ascii: "/")), !function[..<slash].contains("$$Lambda") {
            module = function[..<slash]
            function = function[(slash + 1)...]
        }
        let place = SourceLocation(call[(opening + 1)..<closing])
        return Crash.Frame(
            function: function.text, file: place?.file, line: place?.line, module: module?.text.nonEmpty,
            isOwn: self.isOwn(function: function, module: module))
    }

    /// The stack of an exception or, where none of its frames is the program's own, that of the first cause which has
    /// such frames, and the exception's own below it. `lines` follow the frames.
    static func stack(_ frames: [Crash.Frame], orOfCauseIn lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        guard !frames.contains(where: \.isOwn) else { return frames }
        var inner: [Crash.Frame] = []
        var isInCause = false
        // The frames of suppressed exceptions are indented twice.
        for line in lines.prefix(4_096) where !line.starts(with: "\t\t".utf8) {
            if line.starts(with: "Caused by: ".utf8) {
                guard !inner.contains(where: \.isOwn) else { break }
                (inner, isInCause) = ([], true)
            } else if let frame = self.frame(line) {
                if isInCause { inner.append(frame) }
            } else if line.first?.isBlank != true, !isInCause || !inner.isEmpty {
                break
            }
        }
        return inner.contains(where: \.isOwn) ? inner + frames : frames
    }

    /// Packages of the language, its runtimes, and of libraries that nearly every program has.
    private static let libraries = [
        "java.", "javax.", "jakarta.", "jdk.", "sun.", "com.sun.", "kotlin.", "kotlinx.", "scala.", "groovy.",
        "org.codehaus.groovy.", "clojure.", "android.", "androidx.", "dalvik.", "com.android.internal.", "libcore.",
        "org.springframework.", "org.apache.catalina.", "org.apache.tomcat.", "org.apache.coyote.",
        "org.apache.commons.", "org.apache.http.", "org.apache.logging.", "org.eclipse.jetty.", "org.hibernate.",
        "org.junit.", "org.gradle.", "org.slf4j.", "ch.qos.logback.", "com.google.common.", "com.google.gson.",
        "com.fasterxml.jackson.", "io.netty.", "io.reactivex.", "reactor.", "okhttp3.", "okio.", "retrofit2.", "akka.",
        "com.zaxxer.hikari.",
    ]

    static func isOwn(function: ArraySlice<UInt8>, module: ArraySlice<UInt8>?) -> Bool {
        if let module, module.starts(with: "java.".utf8) || module.starts(with: "jdk.".utf8) { return false }
        if function.contains("$$Lambda") || function.contains("$$FastClass") || function.contains("$Proxy") {
            return false
        }
        return !self.libraries.contains { function.starts(with: $0.utf8) }
    }
}
