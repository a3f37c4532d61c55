import Digests
import DurableIO
import Foundation
import TestSupport

/// A response as it came over the wire.
struct RawAnswer {
    var status: Int
    var headers: HeaderFields
    var body = ""
    /// Those that came before it (1xx).
    var interim: [RawAnswer] = []

    /// The path of an upload, from a `Location` of whatever form.
    var uploadPath: String? {
        headers["Location"].flatMap { URL(string: $0)?.path }
    }
}

/// One connection on which HTTP is written and read by hand, so that a server is seen as it is.
struct RawUploadClient {
    struct NoAnswer: Error {}

    let connection: LoopbackClient
    private let fields: String

    /// Connects; each request will carry this interop version, if any.
    init(_ port: UInt16, version: String? = "8") throws {
        connection = try LoopbackClient(port: port)
        let version = version.map { "Upload-Draft-Interop-Version: \($0)\r\n" } ?? ""
        fields = "Host: 127.0.0.1:\(port)\r\n" + version
    }

    /// Sends a request and receives its answer.
    func ask(
        _ method: String, _ target: String, _ fields: [String: String] = [:], _ body: String? = nil
    ) throws -> RawAnswer {
        try send(method, target, fields, body)
        return try receive(answering: method)
    }

    /// Sends a request; `declared` is what `Content-Length` says if not the size of the body.
    func send(
        _ method: String, _ target: String, _ fields: [String: String] = [:], _ body: String? = nil,
        declaring declared: Int? = nil
    ) throws {
        var head = "\(method) \(target) HTTP/1.1\r\n" + self.fields
        for (name, value) in fields { head += "\(name): \(value)\r\n" }
        if let length = declared ?? body?.utf8.count { head += "Content-Length: \(length)\r\n" }
        try connection.send(head + "\r\n" + (body ?? ""))
    }

    /// Receives an answer and the interim ones before it.
    func receive(answering method: String = "POST") throws -> RawAnswer {
        var interim: [RawAnswer] = []
        while true {
            var answer = try receiveHead()
            guard answer.status >= 200 else {
                interim.append(answer)
                continue
            }
            answer.interim = interim
            if method != "HEAD" { answer.body = try receiveBody(framedBy: answer.headers) }
            return answer
        }
    }

    private func receiveBody(framedBy headers: HeaderFields) throws -> String {
        guard headers.has("chunked", in: "Transfer-Encoding") else {
            return try connection.receive(headers["Content-Length"].flatMap { Int($0) } ?? 0)
        }
        var body = ""
        while true {
            let size = Int(try receive(until: "\r\n").dropLast(), radix: 16) ?? 0
            body += try connection.receive(size)
            _ = try receive(until: "\r\n")
            if size == 0 { return body }
        }
    }

    private func receive(until end: String) throws -> String {
        var text = ""
        while !text.hasSuffix(end) {
            let byte = try connection.receive(1)
            guard !byte.isEmpty else { throw NoAnswer() }
            text.unicodeScalars += byte.unicodeScalars
        }
        return text
    }

    /// Receives one head, be it an interim answer's.
    func receiveHead() throws -> RawAnswer {
        let head = try receive(until: "\r\n\r\n")
        let lines = head.components(separatedBy: "\r\n").filter { !$0.isEmpty }
        let fields = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            return (name: parts[0], value: parts.count > 1 ? parts[1] : "")
        }
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return RawAnswer(status: status, headers: HeaderFields(fields))
    }

    /// Creates an upload without content and returns its path.
    func create(_ fields: [String: String] = ["Upload-Complete": "?0"]) throws -> String {
        guard let path = try ask("POST", "/reports", fields, "").uploadPath else { throw NoAnswer() }
        return path
    }

    /// Appends a part.
    func append(
        _ body: String, to path: String, at offset: Int, complete: String, _ fields: [String: String] = [:]
    ) throws -> RawAnswer {
        try sendPart(body, to: path, at: offset, complete: complete, fields)
        return try receive()
    }

    /// Sends a part, or the beginning of one that declares to be longer.
    func sendPart(
        _ body: String, to path: String, at offset: Int, complete: String, _ fields: [String: String] = [:],
        declaring declared: Int? = nil
    ) throws {
        let own = [
            "Content-Type": "application/partial-upload", "Upload-Offset": "\(offset)", "Upload-Complete": complete,
        ]
        try send("PATCH", path, own.merging(fields) { _, given in given }, body, declaring: declared)
    }
}

/// The SHA-256 of a text, in lower-case hexadecimal digits.
func sha256(_ text: String) -> String {
    ContentHash(of: Array(text.utf8)).hex
}

/// The same as the value of a digest field (RFC 9530).
func digestField(_ text: String) -> String {
    "sha-256=:\(Data(ContentHash(of: Array(text.utf8)).bytes).base64EncodedString()):"
}
