import Background
import DurableIO
import HTTPTypes
import TestSupport
import Testing

@testable import Reports

/// A kind of destination as the contract suite tests it.
struct ContractSubject: Sendable, CustomTestStringConvertible {
    /// What its answers are named after.
    let name: String
    let schemes: [String]
    /// What nobody may see.
    let secrets: [String]
    let destination: @Sendable () -> Destination
    /// The forms in which it can send reports.
    var encodings = ReportEncoding.all
    /// Whether it sends the report's bytes as they are, each report to an address of its own.
    var sendsBareReports = true
    /// What its reports hold: a payload of its format that is recognised.
    var payload = "crash"
    var format = "text"
    /// By the words of a verdict, what the second request has to have that the first had not.
    var changes: [String: Change] = [:]

    typealias Change = @Sendable (_ first: TransferRequest, _ second: TransferRequest, _ wall: Int64) -> Bool

    var testDescription: String { name }

    static let all = [http, s3, sentry, breakpad, otlp]

    /// Kinds whose answers are there already, and which are not built.
    static let notBuilt: [String] = []

    private static let http = ContractSubject(
        name: "http", schemes: ["http", "https"], secrets: ["s3cr3t-of-the-query", "Bearer s3cr3t"],
        destination: {
            .http(
                "http://collector.example/reports/{id}?key=s3cr3t-of-the-query",
                headers: [("Authorization", "Bearer s3cr3t")])
        },
        changes: [
            "without the annotations": { first, second, _ in
                let name = HTTPField.Name.known("Report-Annotations")
                return first.fields[name] != nil && second.fields[name] == nil
            }
        ])

    private static let sentry = ContractSubject(
        name: "sentry", schemes: ["sentry+https", "sentry+http"],
        secrets: ["0123456789abcdef0123456789abcdef", "relic-of-a-secret"],
        destination: {
            .sentry(dsn: "http://0123456789abcdef0123456789abcdef:relic-of-a-secret@sentry.example/17")
        },
        encodings: [.gzip, .identity], sendsBareReports: false)

    private static let breakpad = ContractSubject(
        name: "breakpad", schemes: ["minidump+https", "minidump+http"],
        secrets: ["s3cr3t-of-the-query", "Bearer s3cr3t"],
        destination: {
            .minidumps(
                url: "https://collector.example/submit?key=s3cr3t-of-the-query",
                headers: [("Authorization", "Bearer s3cr3t")])
        },
        // The payload is the signature of a minidump, and nothing behind it.
        encodings: [.identity], sendsBareReports: false, payload: "MDMP", format: "minidump")

    private static let otlp = ContractSubject(
        name: "otlp", schemes: ["otlp+https", "otlp+http"], secrets: ["Bearer s3cr3t"],
        destination: {
            .otlp(endpoint: "https://collector.example:4318", headers: [("Authorization", "Bearer s3cr3t")])
        },
        encodings: [.gzip, .identity], sendsBareReports: false)

    private static let s3 = ContractSubject(
        name: "s3", schemes: ["s3"],
        secrets: ["AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "s3ssion-t0ken"],
        destination: {
            // Each time that somebody looks, the key in the environment is another one.
            let count = Monitor(0)
            let surroundings = S3Surroundings { name in
                switch name {
                case "AWS_ACCESS_KEY_ID":
                    let number = count.withLock { count in
                        count += 1
                        return count
                    }
                    return "AKIAIOSFODNN7EXAMPLE\(number)"
                case "AWS_SECRET_ACCESS_KEY": return "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
                case "AWS_SESSION_TOKEN": return "s3ssion-t0ken"
                default: return nil
                }
            }
            return Destination(headers: []) { options throws(ReportsError) in
                try S3Destination(S3Address("s3://crash-reports/shop?region=us-east-1"), options, in: surroundings)
            }
        },
        changes: [
            "without If-None-Match": { first, second, _ in
                first.fields[.ifNoneMatch] == "*" && second.fields[.ifNoneMatch] == nil
            },
            "with fresh credentials": { first, second, _ in
                first.credential != nil && first.credential != second.credential
            },
            "with the server's clock": { first, second, wall in
                second.fields[HTTPField.Name.known("x-amz-date")] == SignatureV4.date(milliseconds: wall + 3_600_000)
            },
            "with that region": { first, second, _ in
                first.endpoint.host == "crash-reports.s3.us-east-1.amazonaws.com"
                    && ["eu-central-1", "eu-north-1"].contains { region in
                        second.endpoint.host == "crash-reports.s3.\(region).amazonaws.com"
                            && second.fields[.authorization]?.contains("/\(region)/s3/aws4_request") == true
                    }
            },
            "without the annotations": { first, second, _ in
                let names = { (request: TransferRequest) in
                    request.fields.map(\.name.canonicalName).filter { $0.hasPrefix("x-amz-meta-") }
                }
                return names(first).contains("x-amz-meta-service")
                    && names(second).allSatisfy { $0.hasPrefix("x-amz-meta-report-") }
                    && names(second).contains("x-amz-meta-report-truncated")
            },
        ])
}

extension TransferRequest {
    /// The name of the access key that it is signed with.
    var credential: String? {
        fields[.authorization]?.split(separator: "=").dropFirst().first.map { String($0.prefix { $0 != "/" }) }
    }
}
