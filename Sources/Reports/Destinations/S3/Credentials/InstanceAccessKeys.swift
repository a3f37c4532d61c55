import Background
import DurableIO
import HTTPTypes

/// The keys of an Amazon EC2 instance: its metadata service, version 2, where each question needs a token.
struct InstanceAccessKeys: AccessKeySource {
    let surroundings: S3Surroundings

    private static let standardAddress = "http://169.254.169.254"
    private static let variable = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
    private static let path = "/latest/meta-data/iam/security-credentials/"

    func check() throws(AccessKeyProblem) { _ = try origin() }

    func accessKey(over side: any Transport) async throws(AccessKeyProblem) -> S3AccessKey {
        let service = MetadataService(
            name: "the instance's metadata service", side: side, limit: surroundings.instanceLimit,
            clock: surroundings.clock)
        let origin = try origin()
        var fields = HTTPFields()
        fields[.tokenLifetime] = "21600"
        let token = try await service.ask(
            TransferRequest(endpoint: try Self.endpoint(origin + "/latest/api/token"), method: .put, fields: fields))
        fields = HTTPFields()
        fields[.metadataToken] = try Self.line(token, of: service)
        let role = try Self.line(try await service.get(try Self.endpoint(origin + Self.path), fields), of: service)
        let address = try Self.endpoint(origin + Self.path + PercentEncoding.encode(role))
        return try service.accessKey(try await service.get(address, fields))
    }

    private func origin() throws(AccessKeyProblem) -> String {
        guard surroundings.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() != "true" else {
            throw .missing("the credentials are those of the instance, which AWS_EC2_METADATA_DISABLED forbids to ask")
        }
        guard let text = surroundings.variable(Self.variable) else { return Self.standardAddress }
        guard let address = try? Endpoint(text) else { throw .missing("\(Self.variable) is no http or https URL") }
        return address.origin
    }

    private static func endpoint(_ text: String) throws(AccessKeyProblem) -> Endpoint {
        guard let endpoint = try? Endpoint(text) else { throw .unavailable("\(text) is no address") }
        return endpoint
    }

    /// The first line of an answer: printable ASCII without blanks.
    private static func line(_ body: [UInt8], of service: MetadataService) throws(AccessKeyProblem) -> String {
        let line = body.split(separator: 0x0a).first ?? []
        guard !line.isEmpty, line.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .unavailable("\(service.name) answered with nothing that can be used")
        }
        return String(decoding: line, as: UTF8.self)
    }
}

extension HTTPField.Name {
    fileprivate static let tokenLifetime = known("x-aws-ec2-metadata-token-ttl-seconds")
    fileprivate static let metadataToken = known("x-aws-ec2-metadata-token")
}
