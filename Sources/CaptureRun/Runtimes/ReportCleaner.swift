import Diagnosis

/// Takes the environment and the arguments of a program out of what its runtime has written, unless they were asked for.
///
/// Everything else stays byte for byte, so that servers find the report as its runtime has written it.
struct ReportCleaner: Sendable {
    /// The names of the variables that stay.
    var variables: Set<String> = []
    var keepsArguments = false

    /// The members of Node's reports that hold them, at any depth: a report has those of its workers in it.
    private static let environmentKey = "environmentVariables"
    private static let argumentsKey = "commandLine"

    /// Whether a report may hold something of it.
    static func isNeeded(for diagnosis: Diagnosis, head: ArraySlice<UInt8>) -> Bool {
        let format = diagnosis.format
        if format.hasPrefix("jvm-") { return true }
        // Whatever it is taken for: a damaged one is cleaned, too.
        return head.first { $0 > 0x20 } == UInt8(ascii: "{") && !format.hasPrefix("swift-backtrace")
    }

    func cleaned(_ bytes: [UInt8]) -> [UInt8] {
        bytes.first { $0 > 0x20 } == UInt8(ascii: "{") ? cleanedJSON(bytes) : cleanedText(bytes)
    }

    // MARK: - JSON

    /// The value of each such member is replaced. It goes to the end of the document where it has none.
    private func cleanedJSON(_ bytes: [UInt8]) -> [UInt8] {
        var clean: [UInt8] = []
        clean.reserveCapacity(bytes.count)
        var rest = bytes[...]
        while let byte = rest.first {
            guard byte == UInt8(ascii: "\"") else {
                clean.append(byte)
                rest = rest.dropFirst()
                continue
            }
            let text = Self.string(at: rest)
            clean += text
            rest = rest[text.endIndex...]
            let key = String(decoding: text.dropFirst().dropLast(), as: UTF8.self)
            guard key == Self.environmentKey || key == Self.argumentsKey && !keepsArguments else { continue }
            let colon = rest.prefix { $0 <= 0x20 || $0 == UInt8(ascii: ":") }
            guard colon.contains(UInt8(ascii: ":")) else { continue }
            clean += colon
            let value = Self.value(at: rest[colon.endIndex...])
            rest = rest[value.endIndex...]
            clean += key == Self.environmentKey ? variables(in: value) : Array("[]".utf8)
        }
        return clean
    }

    private func variables(in value: ArraySlice<UInt8>) -> [UInt8] {
        let members = (try? JSONValue.parse(value))?.objectValue?.members ?? []
        return JSONValue.object(JSONObject(members.filter { variables.contains($0.key) })).utf8Bytes
    }

    /// From the quote on to the next one that no backslash protects.
    private static func string(at bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var index = bytes.startIndex + 1
        while index < bytes.endIndex, bytes[index] != UInt8(ascii: "\"") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return bytes[..<min(index + 1, bytes.endIndex)]
    }

    private static func value(at bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var (index, depth) = (bytes.startIndex, 0)
        while index < bytes.endIndex {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index = string(at: bytes[index...]).endIndex
                if depth == 0 { return bytes[..<index] }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                // A closing bracket at once is that of what holds the member.
                if depth == 0 { return bytes[..<index] }
                depth -= 1
                if depth == 0 { return bytes[...index] }
            case UInt8(ascii: ","):
                if depth == 0 { return bytes[..<index] }
            default: break
            }
            index += 1
        }
        return bytes
    }

    // MARK: - HotSpot's reports

    /// The lines with arguments, and what of them stays: of `java_command` the class.
    private static let argumentLines = [
        ("Command Line: ", 0), ("jvm_args: ", 0), ("jvm_flags: ", 0), ("java_command: ", 1),
        ("java_class_path (initial): ", 0),
    ]
    private static let leftOut = "(left out)"

    private func cleanedText(_ bytes: [UInt8]) -> [UInt8] {
        var isInEnvironment = false
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            if line.starts(with: "Environment Variables:".utf8) {
                isInEnvironment = true
                return Array(line)
            }
            if line.allSatisfy({ $0 <= 0x20 }) { isInEnvironment = false }
            return isInEnvironment ? cleaned(variable: line) : cleaned(line: line)
        }
        return Array(lines.joined(separator: [UInt8(ascii: "\n")]))
    }

    private func cleaned(variable line: ArraySlice<UInt8>) -> [UInt8] {
        let name = line.prefix { $0 != UInt8(ascii: "=") }
        // A value of several lines goes on without a name.
        guard name.count < line.count else { return Array(Self.leftOut.utf8) }
        if variables.contains(String(decoding: name, as: UTF8.self)) { return Array(line) }
        return Array(name) + Array("=\(Self.leftOut)".utf8)
    }

    private func cleaned(line: ArraySlice<UInt8>) -> [UInt8] {
        guard !keepsArguments else { return Array(line) }
        for (beginning, count) in Self.argumentLines where line.starts(with: beginning.utf8) {
            let words = line.dropFirst(beginning.utf8.count).split(separator: UInt8(ascii: " "))
            let kept = words.prefix(count).map { String(decoding: $0, as: UTF8.self) }
            let rest = words.count > count ? [Self.leftOut] : []
            return Array((beginning + (kept + rest).joined(separator: " ")).utf8)
        }
        return Array(line)
    }
}
