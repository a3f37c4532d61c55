import Background
import DurableIO
import HTTPTypes

/// What S3 says in the body of an answer that is no success: the texts between the first marks of a name. Nothing else
/// of the body is used or kept: it may repeat the access key and what was signed.
struct S3ErrorBody: Sendable {
    /// For example `NoSuchBucket`; `nil` where the body has none.
    let code: String?
    /// The region that the server expects.
    let region: String?
    /// The server's clock, in milliseconds since 1970.
    let serverTime: Int64?

    init(_ answer: TransferAnswer) {
        let body = answer.body[...]
        code = Self.text("Code", in: body).flatMap { Self.isCode($0) ? $0 : nil }
        let field = HTTPField.Name("x-amz-bucket-region").flatMap { answer.fields[$0] }
        region = [field, Self.text("Region", in: body)].compactMap(\.self).first { S3Place.isRegion($0) }
        serverTime = Self.text("ServerTime", in: body).flatMap { Moment.milliseconds($0) }
    }

    /// How much of an answer is looked at, in bytes.
    static let byteCount = 4 << 10
    private static let maximumTextByteCount = 64

    private static func text(_ name: String, in body: ArraySlice<UInt8>) -> String? {
        let body = body.prefix(byteCount)
        guard let start = body.firstRange(of: Array("<\(name)>".utf8))?.upperBound else { return nil }
        let rest = body[start...].prefix(maximumTextByteCount + name.utf8.count + 3)
        guard let end = rest.firstRange(of: Array("</\(name)>".utf8))?.lowerBound else { return nil }
        return String(validating: rest[..<end], as: UTF8.self)
    }

    private static func isCode(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0.isASCIIAlphanumeric || $0 == UInt8(ascii: ".") }
    }
}

/// What the codes of S3 mean.
enum S3Answers {
    struct Meaning: Sendable {
        var disposition: ResponseDisposition
        /// For people, as the end of a sentence; `nil` where the code says all.
        var words: String?

        init(_ disposition: ResponseDisposition, _ words: String? = nil) {
            self.disposition = disposition
            self.words = words
        }
    }

    /// - Parameters:
    ///   - code: of the answer's body.
    ///   - status: of the answer.
    /// - Returns: `nil` for an answer that means what HTTP says.
    static func meaning(_ code: String?, status: Int) -> Meaning? {
        guard let code else {
            // Without a code nobody has spoken who knows S3.
            return status == 404 || status == 405
                ? Meaning(.hold(.destination), "there is no bucket of S3 at this address") : nil
        }
        // An answer that counts as a delivery has to be what it says in both ways.
        return code == "PreconditionFailed" && status != 412 ? nil : meanings[code]
    }

    private static let meanings: [String: Meaning] = [
        "PreconditionFailed": Meaning(.delivered),

        "AccessDenied": Meaning(.hold(.auth), "the access key may not write there"),
        "AccountProblem": Meaning(.hold(.auth), "there is a problem with the account"),
        "AllAccessDisabled": Meaning(.hold(.auth), "all access is disabled there"),
        "ExpiredToken": Meaning(.hold(.auth), "the credentials have expired"),
        "InvalidAccessKeyId": Meaning(.hold(.auth), "it does not know the access key"),
        "InvalidSecurity": Meaning(.hold(.auth), "the credentials are not valid"),
        "InvalidToken": Meaning(.hold(.auth), "the session token is not valid"),
        "NotSignedUp": Meaning(.hold(.auth), "the account is not signed up for S3"),
        "SignatureDoesNotMatch": Meaning(
            .hold(.auth), "the secret key is wrong, or something on the way has changed the request"),
        "TokenRefreshRequired": Meaning(.hold(.auth), "the session token has to be renewed"),

        "RequestTimeTooSkewed": Meaning(.hold(.clock), "the clock of this machine is wrong"),
        "AuthorizationHeaderMalformed": Meaning(.hold(.auth), "the access key or the region is malformed"),
        "PermanentRedirect": Meaning(.hold(.redirect), "the bucket is in another region"),
        "IllegalLocationConstraintException": Meaning(.hold(.redirect), "the bucket is in another region"),
        "TemporaryRedirect": Meaning(.hold(.redirect)),

        "SlowDown": Meaning(.notNow),
        "ServiceUnavailable": Meaning(.notNow),
        "InternalError": Meaning(.notNow),
        "RequestTimeout": Meaning(.notNow),
        "ConditionalRequestConflict": Meaning(.wait, "another upload of the same report is under way"),
        "OperationAborted": Meaning(.wait),
        "BadDigest": Meaning(.wait, damaged),
        "IncompleteBody": Meaning(.wait, damaged),
        "InvalidDigest": Meaning(.wait, damaged),
        "XAmzContentSHA256Mismatch": Meaning(.wait, damaged),

        "InvalidBucketName": Meaning(.hold(.destination), "it takes no bucket of this name"),
        "InvalidRequest": Meaning(.hold(.destination), "it does not take such requests"),
        "MethodNotAllowed": Meaning(.hold(.destination), "objects cannot be stored at this address"),
        "NoSuchBucket": Meaning(.hold(.destination), "there is no such bucket"),

        "EntityTooLarge": Meaning(.rejected, "too large for it"),
        "InvalidArgument": Meaning(.rejected),
        "KeyTooLongError": Meaning(.rejected, "the key of its object is too long"),
        "MetadataTooLarge": Meaning(.rejected, "its metadata are too large"),
        "MissingContentLength": Meaning(.rejected),
        "NotImplemented": Meaning(.rejected),
    ]

    private static let damaged = "the body did not arrive as it was sent"
}
