import Diagnosis
import Foundation

/// A judge that runs.
package struct JudgeServer: Sendable {
    /// A command that looks into a judge has failed.
    package struct CommandFailed: Error, CustomStringConvertible {
        package let description: String
    }

    /// Its process, for tests that end it and start it again.
    package let peer: PeerProcess

    /// Where it listens; the path begins with a slash.
    package func url(_ path: String = "") -> String { "http://127.0.0.1:\(peer.port)\(path)" }

    /// Makes a bucket.
    package func makeBucket(_ name: String) async throws {
        _ = try await command("make", name)
    }

    /// All objects in a bucket, as AWS's own client reads them, in the order of their keys.
    package func objects(in bucket: String) async throws -> [StoredObject] {
        try Self.objects(in: try await command("list", bucket)).map(StoredObject.init)
    }

    private func command(_ arguments: String...) async throws -> [UInt8] {
        try await Self.script(["bucket", url()] + arguments)
    }

    /// Runs a command of the script, and gives what it prints.
    static func script(_ arguments: [String], accepting statuses: Set<Int32> = [0]) async throws -> [UInt8] {
        let result = try await runAsynchronously(Judge.script, arguments)
        guard statuses.contains(result.status) else {
            throw CommandFailed(description: "\(arguments): \(result.errors)")
        }
        return result.stdout
    }

    /// The objects in JSON Lines.
    static func objects(in lines: [UInt8]) throws -> [JSONValue] {
        try lines.split(separator: UInt8(ascii: "\n")).map { try JSONValue.parse(Array($0)) }
    }
}

/// An object in a bucket of a judge.
package struct StoredObject: Sendable {
    package let key: String
    package let contentType: String?
    package let contentEncoding: String?
    /// What the client put under `x-amz-meta-`, the names without that and in lower case.
    package let metadata: [String: String]
    package let bytes: [UInt8]

    init(_ line: JSONValue) throws {
        guard let key = line["key"]?.stringValue,
            let bytes = line["bytes"]?.stringValue.flatMap({ Data(base64Encoded: $0) })
        else { throw JudgeServer.CommandFailed(description: "no object: \(line)") }
        self.key = key
        self.bytes = [UInt8](bytes)
        contentType = line["content_type"]?.stringValue
        contentEncoding = line["content_encoding"]?.stringValue
        let members = line["metadata"]?.objectValue?.members ?? []
        metadata = Dictionary(members.map { ($0.key.lowercased(), $0.value.stringValue ?? "") }) { first, _ in first }
    }
}
