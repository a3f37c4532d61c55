import Background
import DurableIO
import HTTPTypes

/// The keys of a container: a service named by the environment, as in Amazon ECS and EKS.
struct ContainerAccessKeys: AccessKeySource {
    let surroundings: S3Surroundings

    private static let tries = 3
    private static let relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
    private static let full = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
    private static let token = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
    private static let tokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"

    func check() throws(AccessKeyProblem) { _ = try address() }

    func accessKey(over side: any Transport) async throws(AccessKeyProblem) -> S3AccessKey {
        let service = MetadataService(
            name: "the container's credentials service", side: side, limit: surroundings.containerLimit,
            clock: surroundings.clock)
        let address = try address()
        var fields = HTTPFields()
        fields[.accept] = "application/json"
        fields[.authorization] = try authorization()
        var tried = 0
        while true {
            do throws(AccessKeyProblem) {
                return try service.accessKey(try await service.get(address, fields))
            } catch {
                tried += 1
                guard tried < Self.tries, error != .interrupted else { throw error }
            }
        }
    }

    private func address() throws(AccessKeyProblem) -> Endpoint {
        if let path = surroundings.variable(Self.relative) {
            guard path.hasPrefix("/"), let address = try? Endpoint("http://169.254.170.2" + path) else {
                throw .missing("\(Self.relative) is no path of a URL")
            }
            return address
        }
        guard let text = surroundings.variable(Self.full) else {
            throw .missing(
                "the credentials are those of a container, but neither \(Self.relative) nor \(Self.full) is set")
        }
        guard let address = try? Endpoint(text) else { throw .missing("\(Self.full) is no http or https URL") }
        // The token would go to anybody who can listen on the way.
        guard address.isSecure || Self.isLocal(address.host) else {
            throw .missing("\(Self.full) names another machine by plain http: only https may be used there")
        }
        return address
    }

    private static func isLocal(_ host: String) -> Bool {
        guard host != "localhost" else { return true }
        guard let address = NetworkAddress(host.hasPrefix("[") ? host.dropFirst().dropLast() : host[...]) else {
            return false
        }
        let networks: [(Substring, Int)] = [
            ("127.0.0.0", 8), ("169.254.170.2", 32), ("169.254.170.23", 32), ("::1", 128), ("fd00:ec2::23", 128),
        ]
        return networks.contains { network, bits in
            NetworkAddress(network).map { address.isIn($0, bits: bits) } ?? false
        }
    }

    /// The file is read each time, because its token is renewed.
    private func authorization() throws(AccessKeyProblem) -> String? {
        guard let path = surroundings.variable(Self.tokenFile).flatMap({ surroundings.path($0) }) else {
            return try checked(surroundings.variable(Self.token), from: Self.token)
        }
        let bytes: [UInt8]?
        do {
            bytes = try surroundings.contents(of: path)
        } catch {
            throw .unavailable("the token for the container's credentials cannot be read: \(error)")
        }
        guard let bytes else { throw .unavailable("there is no file \(path), which \(Self.tokenFile) names") }
        let token = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init)
        return try checked(token, from: Self.tokenFile)
    }

    private func checked(_ token: String?, from place: String) throws(AccessKeyProblem) -> String? {
        guard token.map(HeaderRules.isValue) ?? true else { throw .unavailable("\(place) holds control characters") }
        return token
    }
}
