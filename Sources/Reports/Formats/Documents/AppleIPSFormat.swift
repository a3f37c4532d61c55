/// An `.ips` report of Apple's systems: one object on the first line, another after it. Together they are no JSON.
enum AppleIPSFormat {
    static let marks = ["bug_type"]

    static func recognize(_ document: JSONDocument) -> Recognition? {
        let title = document.root
        guard document.isComplete, title["bug_type"] != nil else { return nil }
        let rest = document.rest.trimmed
        guard rest.isEmpty || rest.first == UInt8(ascii: "{") else { return nil }
        let body = JSONValue.parsePrefix(rest).value?.objectValue ?? JSONObject()
        return Recognition(
            format: "apple-ips", contentType: ContentType.text, kind: .crash,
            summary: self.subject(title: title, body: body) + self.reason(in: body)
                + (title.text("os_version").map { " (\($0))" } ?? ""))
    }

    private static func subject(title: JSONObject, body: JSONObject) -> String {
        let name = body.text("procName") ?? title.text("app_name") ?? "?"
        let process = body["pid"]?.integerValue.map { "[\($0)]" } ?? ""
        return "\(name) \(title.text("app_version") ?? "?")\(process): "
    }

    private static func reason(in body: JSONObject) -> String {
        let exception = body["exception"]?.objectValue
        let reason = SummaryLine.join(exception?.text("type"), exception?.text("signal"), separator: " ")
        let thread = body["faultingThread"]?.integerValue.flatMap { body["threads"]?[Int(clamping: $0)] }
        let symbol = thread?["frames"]?[0]?["symbol"]?.stringValue?.nonEmpty
        return (reason.nonEmpty ?? "report") + (symbol.map { " in \($0)" } ?? "")
    }
}
