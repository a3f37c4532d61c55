/// How a ``DraftResumableServer`` behaves; may be changed while it runs.
package struct DraftRules: Sendable {
    /// What it announces in `Upload-Limit` and holds clients to, in bytes and seconds; `nil` is no such limit.
    package struct Limits: Sendable {
        package var maxSize: Int?
        package var minSize: Int?
        package var maxAppendSize: Int?
        package var minAppendSize: Int?
        package var maxAge: Int?

        package init(
            maxSize: Int? = nil, minSize: Int? = nil, maxAppendSize: Int? = nil, minAppendSize: Int? = nil,
            maxAge: Int? = nil
        ) {
            self.maxSize = maxSize
            self.minSize = minSize
            self.maxAppendSize = maxAppendSize
            self.minAppendSize = minAppendSize
            self.maxAge = maxAge
        }
    }

    /// What becomes of requests with another interop version than 8, or with none; the draft only forbids to send them
    /// a 104.
    package enum Strangers: Sendable {
        /// They are ordinary requests, as they will be once the draft is a standard: a POST is a whole report.
        case areOrdinary
        /// 400.
        case areRefused
    }

    /// Whether it knows the draft at all. If not, a POST or PUT is a whole report whatever its fields say, and all else
    /// is refused with 405, `OPTIONS` as ``ordinaryOptionsStatus`` says.
    package var speaksDraft = true
    package var ordinaryOptionsStatus = 405
    package var strangers = Strangers.areOrdinary

    package var limits = Limits()
    /// Sent as `Upload-Limit` instead of the limits, however wrong. The default is `nil`.
    package var uploadLimitField: String?
    /// Whether `OPTIONS` is answered with `Accept-Patch`, by which the draft makes support known.
    package var announcesAcceptPatch = true
    /// Whether `OPTIONS` is answered with `Upload-Limit`, if there are limits.
    package var announcesLimits = true
    /// Whether a creation without content is taken even if there is a `min-append-size`, to which the draft knows no
    /// exception but `Upload-Complete: ?1`.
    package var acceptsEmptyCreation = false

    /// Whether a creation is answered with a 104 at once.
    package var sendsInterimResponses = false
    /// After how many bytes of content another 104 tells the offset, if there are interim responses at all.
    package var progressByteCount: Int?
    /// Whether a part that does not end the upload is answered with an `Upload-Offset`, which the draft does not ask
    /// for.
    package var acknowledgesOffset = true
    /// Whether `Location` is a path; otherwise it begins with the scheme and the request's `Host`.
    package var usesRelativeLocation = false
    /// Whether an upload resource can still be asked after its completion, as the draft recommends.
    package var keepsCompletedUploads = true

    package var keepsBodies = true
    package var application: ReportApplication = { _ in ReportAnswer() }

    package init() {}
}

extension DraftRules {
    /// The value of `Upload-Limit` for a resource of an age in seconds, `nil` if there is nothing to tell.
    func uploadLimit(age: Int = 0) -> String? {
        if let uploadLimitField { return uploadLimitField }
        let members = [
            ("max-size", limits.maxSize), ("min-size", limits.minSize), ("max-append-size", limits.maxAppendSize),
            ("min-append-size", limits.minAppendSize), ("max-age", limits.maxAge.map { $0 - age }),
        ]
        let present = members.compactMap { name, value in value.map { "\(name)=\($0)" } }
        return present.isEmpty ? nil : present.joined(separator: ", ")
    }

    /// Whether content of a known size may be sent in one request.
    func allowsContent(byteCount: Int, isLast: Bool, creating: Bool) -> Bool {
        guard !isLast, let minimum = limits.minAppendSize, byteCount < minimum else { return true }
        return creating && byteCount == 0 && acceptsEmptyCreation
    }
}
