/// A diagnostic report of Node.js.
enum NodeReportFormat {
    static let marks = ["header"]

    static func recognize(_ document: JSONDocument) -> Recognition? {
        guard let header = document.root["header"]?.objectValue, let version = header.text("nodejsVersion") else {
            return nil
        }
        let process = header["processId"]?.integerValue.map { "[\($0)]" } ?? ""
        let stack = document.root["javascriptStack"]?.objectValue
        let reason = SummaryLine.join(
            "node\(process) \(version)", header.text("trigger"), stack?.text("message"), separator: ": ")
        return document.recognition(
            format: "node-report", kind: .crash,
            summary: SummaryLine.join(reason, stack?["stack"]?[0]?.stringValue, separator: " "))
    }
}
