import Background
import DurableIO

/// The server and the region of a bucket, as far as they are known.
///
/// What the endpoint does not say comes from the environment, and else from the profile of the AWS tools' files.
struct S3Location: Sendable {
    var server: Endpoint?
    var region: String?

    /// Adds what the surroundings say.
    /// - Parameters:
    ///   - surroundings: of the process.
    ///   - name: of the profile; `nil` for the one that the environment names.
    /// - Returns: what is lacking or wrong there, which keeps only a process from sending.
    mutating func fill(from surroundings: S3Surroundings, profile name: String?) -> ReportsError? {
        // What cannot be read is told of by the credentials, if they are to come from there.
        let profile = try? AWSProfile(name, file: nil, in: surroundings)
        do throws(ReportsError) {
            if server == nil, surroundings.variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")?.lowercased() != "true" {
                try fillServer(surroundings, profile)
            }
            if region == nil { try fillRegion(surroundings, profile) }
        } catch {
            return error
        }
        return nil
    }

    private mutating func fillServer(_ surroundings: S3Surroundings, _ profile: AWSProfile?) throws(ReportsError) {
        for name in ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] {
            guard let text = surroundings.variable(name) else { continue }
            server = try S3Address.server(text, from: name)
            return
        }
        if let profile, let text = profile["endpoint_url"] {
            server = try S3Address.server(text, from: "endpoint_url of the profile \(profile.name)")
        }
    }

    private mutating func fillRegion(_ surroundings: S3Surroundings, _ profile: AWSProfile?) throws(ReportsError) {
        if let text = surroundings.variable("AWS_REGION", "AWS_DEFAULT_REGION") ?? profile?["region"] {
            region = try S3Address.region(text)
        } else if server != nil {
            region = S3Place.usualRegion
        } else {
            throw S3Address.problem(
                "names no region: write ?region=eu-central-1, or set AWS_REGION, or region in the profile "
                    + "\(profile?.name ?? "default") of ~/.aws/config")
        }
    }
}
