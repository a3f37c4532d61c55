/// The stack of a Rust program as its standard library prints it.
///
/// ```
/// stack backtrace:
///    0:     0x5641620df0ca - std[e28293b1aa0f68bd]::panicking::begin_panic::<&str>
///                                at /rustc/59807616/library/std/src/panicking.rs:761:5
///    1:     0x5641620adc4a - gateway::session::resume::h4cc3b0439d234b70
/// ```
/// Addresses, and the hashes in names, are there with `RUST_BACKTRACE=full`. Source: `library/std/src/sys/backtrace.rs`.
enum RustBacktrace {
    /// The frames behind `stack backtrace:`, without the machinery of panics at their beginning.
    static func frames(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        // Nothing but the message may stand between a panic and its stack.
        let message = lines.prefix(TextBounds.messageLineCount).prefix { !$0.starts(with: "thread '".utf8) }
        guard let start = message.firstIndex(where: { $0.elementsEqual("stack backtrace:".utf8) }) else { return [] }
        var frames: [Crash.Frame] = []
        for line in lines[(start + 1)...] {
            guard line.first?.isBlank == true, frames.count < TextBounds.frameCount else { break }
            let line = line.trimmed
            if let location = line.dropping("at ").flatMap({ SourceLocation($0) }), let last = frames.indices.last {
                frames[last].file = location.file
                frames[last].line = location.line
                frames[last].column = location.column
                frames[last].isOwn = frames[last].isOwn && self.isOwn(file: location.file)
            } else if let number = line.leadingDigits, let name = line[number.endIndex...].dropping(": ") {
                frames.append(self.frame(named: name.trimmed))
            } else if !line.isEmpty, !frames.isEmpty {
                // Old versions give no number to a call that the compiler has put into its caller.
                frames.append(self.frame(named: line))
            }
        }
        return self.withoutMachinery(frames)
    }

    /// What the panic itself called stands first: up to the function that begins to unwind, and the ones that only
    /// prepare the message.
    private static func withoutMachinery(_ frames: [Crash.Frame]) -> [Crash.Frame] {
        let names = frames.map { $0.function ?? "" }
        let unwinding = names.firstIndex { name in
            name == "rust_begin_unwind" || name.hasSuffix("::rust_begin_unwind")
                || (name.hasPrefix("std::panicking::begin_panic") && !name.contains("{"))
        }
        let start = unwinding.map { $0 + 1 } ?? 0
        let preparing = names[start...].prefix { $0.hasPrefix("core::panicking::") || $0.hasPrefix("std::panicking::") }
        return Array(frames[preparing.endIndex...])
    }

    /// With `RUST_BACKTRACE=full` the address stands before the name: `0x5603 - FUNCTION`.
    private static func frame(named name: ArraySlice<UInt8>) -> Crash.Frame {
        let parts = name.starts(with: "0x".utf8) ? name.range(of: " - ") : nil
        let function = self.withoutHashes(parts.map { name[$0.upperBound...] } ?? name)
        let address = parts.flatMap { name[..<$0.lowerBound].trimmed.hexNumber }
        return Crash.Frame(
            function: FunctionName.plain(function), address: address, isOwn: self.isOwn(function: function))
    }

    /// A name without the hash at its end, `::h4cc3b0439d234b70`, and without those of its crates,
    /// `std[e28293b1aa0f68bd]`.
    private static func withoutHashes(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = name.prefix(4_096)
        if let hash = rest.lastRange(of: "::h"), rest[hash.upperBound...].count == 16,
            rest[hash.upperBound...].allSatisfy({ $0.hexValue != nil })
        {
            rest = rest[..<hash.lowerBound]
        }
        guard rest.contains(UInt8(ascii: "[")) else { return rest }
        var plain: [UInt8] = []
        while let bracket = rest.firstIndex(of: UInt8(ascii: "[")) {
            plain += rest[..<bracket]
            let digits = rest[(bracket + 1)...].prefix { $0.hexValue != nil }
            let isHash = digits.count >= 15 && rest[digits.endIndex...].first == UInt8(ascii: "]")
            if !isHash { plain.append(rest[bracket]) }
            rest = rest[(isHash ? digits.endIndex + 1 : bracket + 1)...]
        }
        return (plain + rest)[...]
    }

    // MARK: - Whose code it is

    private static let libraries = [
        "std::", "core::", "alloc::", "__rust", "rust_", "__libc_start", "__pthread", "__GI_",
    ]
    private static let others: Set<String> = [
        "<unknown>", "_start", "main", "start_thread", "clone", "clone3", "__clone", "abort", "raise", "gsignal",
    ]

    private static func isOwn(function: ArraySlice<UInt8>) -> Bool {
        // `<gateway::Session as core::ops::drop::Drop>::drop` belongs to the type, which may be a reference.
        let name = function.drop { $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: "&") }
        if name.startIndex > function.startIndex, let type = name.before(" as "), !type.contains("::") { return false }
        return !self.libraries.contains { name.starts(with: $0.utf8) } && !self.others.contains(function.text)
    }

    /// Whether it is neither a file of Rust's own libraries nor one of a package that was fetched.
    static func isOwn(file: String) -> Bool {
        let path = Array(file.utf8)[...]
        return !file.hasPrefix("/rustc/") && !path.contains("/.cargo/registry/") && !path.contains("/.cargo/git/")
            && !path.contains("/lib/rustlib/") && !path.contains("/csu/") && !path.contains("/nptl/")
    }
}
