package import HTTPTypes

/// The fields that are spoken of here and that HTTPTypes does not name.
extension HTTPField.Name {
    package static let host = known("Host")
    package static let idempotencyKey = known("Idempotency-Key")
    package static let representationDigest = known("Repr-Digest")
    package static let unencodedDigest = known("Unencoded-Digest")

    // Of "Resumable Uploads for HTTP".
    package static let uploadComplete = known("Upload-Complete")
    package static let uploadLength = known("Upload-Length")
    package static let uploadLimit = known("Upload-Limit")
    package static let uploadOffset = known("Upload-Offset")
    package static let uploadDraftInteropVersion = known("Upload-Draft-Interop-Version")
    package static let acceptPatch = known("Accept-Patch")

    /// A name that is written in the source. One that is not a token ends the process at its first use: any other name
    /// in its place would overwrite another field.
    package static func known(_ name: StaticString) -> HTTPField.Name {
        guard let known = HTTPField.Name("\(name)") else { preconditionFailure("\(name) is no name of a field") }
        return known
    }
}
