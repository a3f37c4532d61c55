/// A protocol of valgrind in XML.
enum ValgrindXMLFormat {
    static func recognize(_ head: PayloadHead) -> Recognition? {
        let bytes = head.bytes[...]
        guard head.title.starts(with: "<?xml".utf8), bytes.prefix(1_024).contains("<valgrindoutput>") else {
            return nil
        }
        let program = bytes.between("<argv>", "</argv>").flatMap { self.element("exe", in: $0) } ?? "?"
        let process = self.element("pid", in: bytes).map { "[\($0)]" } ?? ""
        let tool = self.element("tool", in: bytes) ?? "valgrind"
        var summary = "\(program)\(process) \(tool): \(self.errorCount(in: bytes))\(head.isWhole ? "" : "+") error(s)"
        if let first = bytes.after("<error>") {
            summary += ", first \(self.element("kind", in: first) ?? "?")"
            summary += self.element("fn", in: first).map { " in \($0)" } ?? ""
        }
        let signal = bytes.after("<fatal_signal>").flatMap { self.element("signame", in: $0) }
        return Recognition(
            format: "valgrind-xml", contentType: "application/xml", kind: .diagnostic,
            summary: summary + (signal.map { ", \($0)" } ?? ""))
    }

    private static func errorCount(in bytes: ArraySlice<UInt8>) -> Int {
        var rest = bytes
        var count = 0
        while let next = rest.after("<error>") {
            rest = next
            count += 1
        }
        return count
    }

    private static func element(_ name: String, in bytes: ArraySlice<UInt8>) -> String? {
        guard let content = bytes.between("<\(name)>", "</\(name)>")?.trimmed else { return nil }
        return self.decodingEntities(in: content.prefix(1_024))
    }

    /// Functions of C++ are full of angle brackets.
    private static func decodingEntities(in bytes: ArraySlice<UInt8>) -> String {
        let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
        var text: [UInt8] = []
        var rest = bytes
        while let ampersand = rest.firstIndex(of: UInt8(ascii: "&")) {
            text.append(contentsOf: rest[..<ampersand])
            rest = rest[ampersand...]
            let entity = entities.first { rest.starts(with: $0.0.utf8) }
            text.append(contentsOf: entity.map { Array($0.1.utf8) } ?? [UInt8(ascii: "&")])
            rest = rest.dropFirst(entity?.0.utf8.count ?? 1)
        }
        return String(decoding: text + rest, as: UTF8.self)
    }
}

/// A protocol of valgrind in text: each line begins with the process' number.
enum ValgrindTextFormat {
    private static let tools = ["Memcheck", "Helgrind", "DRD", "Massif", "Cachegrind", "Callgrind", "DHAT"]

    static func recognize(_ head: PayloadHead) -> Recognition? {
        guard let title = head.title.dropping("=="), let process = title.leadingDigits else { return nil }
        guard let description = title.dropping("\(process.text)== "),
            let tool = self.tools.first(where: { description.starts(with: $0.utf8) })
        else { return nil }
        let prefix = "==\(process.text)== "
        let fields = head.lines.fields(["\(prefix)Command", "\(prefix)ERROR SUMMARY"])
        let program = fields["\(prefix)Command"] ?? "?"
        let errors = fields["\(prefix)ERROR SUMMARY"].map { ": \($0)" } ?? ""
        return Recognition(
            format: "valgrind-text", contentType: ContentType.text, kind: .diagnostic,
            summary: "\(program)[\(process.text)] \(tool.lowercased())\(errors)")
    }
}
