import Background
import Diagnosis
import DurableIO

// MARK: - For people

extension TrialResult {
    /// What `test` prints of it. The lines may hold characters of the server's.
    package var lines: [String] {
        var lines = ["\(name): \(scheme), gate \(gateKey)"]
        if let endpoint { lines.append(Self.line("endpoint", endpoint)) }
        if let proxy = findings.proxy { lines.append(Self.line("proxy", proxy)) }
        lines += Self.steps(findings) + requestLines
        if let sent { lines += sent.lines }
        if let omission { lines.append(Self.line("not sent", omission)) }
        return lines
    }

    fileprivate static func line(_ name: String, _ text: String) -> String {
        "  " + name + String(repeating: " ", count: 10 - name.count) + text
    }

    // MARK: - The connection

    private static func steps(_ findings: ConnectionFindings) -> [String] {
        var lines: [String] = []
        if let step = findings.resolve {
            lines.append(line("resolve", told(step) { $0.joined(separator: ", ") }))
        }
        if let step = findings.connect {
            lines.append(line("connect", told(step) { $0 }))
            if findings.endsAtProxy, step.problem == nil {
                lines.append(line("", "the proxy connects to the server with each request, which is not tried here"))
            }
        }
        if let step = findings.tls {
            lines.append(
                line(
                    "tls",
                    told(step) { handshake in
                        "TLS \(handshake.version)"
                            + (handshake.hasClientCertificate
                                ? ", with a client certificate if the server asks for one" : "")
                    }))
        }
        if let certificate = findings.certificate { lines.append(line("", words(certificate))) }
        return lines
    }

    private static func told<Finding: Sendable>(
        _ step: ConnectionFindings.Step<Finding>, _ words: (Finding) -> String
    ) -> String {
        switch step.result {
        case .success(let finding): "ok, \(step.milliseconds) ms: \(words(finding))"
        case .failure(let problem): "failed, \(step.milliseconds) ms: \(problem.text)"
        }
    }

    private static func words(_ certificate: ServerCertificate) -> String {
        let shown = 4
        var names = certificate.names.prefix(shown).joined(separator: ", ")
        if certificate.names.count > shown { names += " and \(certificate.names.count - shown) more" }
        return "its certificate is for \(names.isEmpty ? "nobody" : names)"
            + (certificate.issuer.map { ", issued by \($0)" } ?? "")
            + ", valid until \(RFC3339.string(milliseconds: certificate.notAfter))"
    }

    // MARK: - The request

    private var requestLines: [String] {
        switch request {
        case .failure(let trouble): return [Self.line("request", "none: \(trouble.text)")]
        case .success(let request):
            return [Self.line("request", "\(request.method) \(request.url)")]
                + request.fields.map { Self.line("", "\($0.name): \($0.value)") }
                + [Self.line("", "body: \(request.bodyByteCount) bytes, \(words(request.form))")]
        }
    }

    private func words(_ form: ReportEncoding) -> String {
        switch form {
        case .gzip: "\(bodyContent) with Content-Encoding gzip"
        case .file: "a gzip file"
        default: "\(bodyContent) itself"
        }
    }
}

extension TrialResult.Sent {
    /// What the server calls the report, where that is another id.
    private var otherID: String {
        let receipt = receipt.flatMap { try? JSONValue.parse(Array($0.utf8)) }
        let event = receipt?["event_id"]?.stringValue.map { ", and that of the event \($0)" }
        return event ?? ""
    }

    fileprivate var lines: [String] {
        let answer = status.map { " (\($0))" } ?? ""
        guard state != "delivered" else {
            return [
                TrialResult.line("sent", "delivered\(answer)"),
                TrialResult.line(
                    "", "one report of kind other stays at \(url): delete it there; its id is \(id)\(otherID)"),
            ]
        }
        let why = (reason.map { ", \($0)" } ?? "") + answer + (error.map { ": \($0)" } ?? "")
        return [TrialResult.line("sent", state + why)]
    }
}
