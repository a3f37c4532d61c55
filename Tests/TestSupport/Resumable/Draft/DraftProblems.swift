/// The problem types of the draft (RFC 9457).
extension Answer {
    /// 409: a part that does not begin where the upload ends.
    static func mismatchingOffset(
        expected: Int, provided: Int, _ fields: [(name: String, value: String)]
    ) -> Answer {
        .problem(
            409, "mismatching-upload-offset", title: "offset from request does not match offset of resource",
            members: #","expected-offset":\#(expected),"provided-offset":\#(provided)"#, fields)
    }

    /// 400: lengths that contradict each other, or content beyond the length.
    static func inconsistentLength(_ fields: [(name: String, value: String)] = []) -> Answer {
        .problem(400, "inconsistent-upload-length", title: "inconsistent length values for upload", fields)
    }

    /// 400: nothing to append, and nothing left to complete.
    static func completedUpload() -> Answer {
        .problem(400, "completed-upload", title: "upload is already completed", [])
    }

    private static func problem(
        _ status: Int, _ type: String, title: String, members: String = "", _ fields: [(name: String, value: String)]
    ) -> Answer {
        let type = "https://iana.org/assignments/http-problem-types#\(type)"
        return .response(
            status, headers: [("Content-Type", "application/problem+json")] + fields,
            text: #"{"type":"\#(type)","title":"\#(title)"\#(members)}"#)
    }
}
