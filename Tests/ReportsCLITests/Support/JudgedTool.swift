import Foundation
import Reports
import TestSupport
import Testing

extension JudgeServer {
    /// The endpoint of a bucket, as a user writes it.
    func endpoint(_ bucket: String, template: String = "", region: String = Judge.region) -> String {
        "s3://\(bucket)/\(template)?region=\(region)&endpoint=\(url())"
    }
}

/// Endpoints of servers on this machine, as a user writes them.
enum LocalEndpoint {
    static func sentry(
        _ port: UInt16, key: String = Judge.sentryKeys[0], project: String = "1", query: String = ""
    ) -> String {
        "sentry+http://\(key)@127.0.0.1:\(port)/\(project)\(query)"
    }

    static func minidump(_ port: UInt16, query: String = "") -> String {
        "minidump+http://127.0.0.1:\(port)/submit\(query)"
    }

    static func otlp(_ port: UInt16, query: String = "") -> String { "otlp+http://127.0.0.1:\(port)\(query)" }
}

extension ReportsTool {
    /// The key of the judges, in the environment.
    static let judgeKey = ["AWS_ACCESS_KEY_ID": Judge.accessKey, "AWS_SECRET_ACCESS_KEY": Judge.secretKey]

    /// The same tool with more variables, or with other values for them.
    func with(_ variables: [String: String]) -> ReportsTool {
        var tool = self
        tool.environment.merge(variables) { _, new in new }
        return tool
    }
}

extension StoredObject {
    /// What the object holds, as gzip(1) unpacks it.
    func payload() async throws -> [UInt8] {
        let unpacked = try await runAsynchronously(
            "gzip", ["-dc"], environment: ["PATH": "/usr/bin:/bin"], input: bytes)
        try #require(unpacked.status == 0, "\(key): \(unpacked.errors)")
        return unpacked.stdout
    }
}

/// Runs `body` with a tool that has the key of a judge, and the judge; one for S3 has an empty bucket `crashes`.
func withTool(
    judge: Judge, _ options: String..., body: (ReportsTool, JudgeServer) async throws -> Void
) async throws {
    try await withTool { tool in
        try await judge.serving(options) { server in
            if judge.hasBuckets { try await server.makeBucket("crashes") }
            try await body(tool.with(ReportsTool.judgeKey), server)
        }
    }
}
