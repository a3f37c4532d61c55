/// A whole report as the application behind a server got it, whether it came in one request or in many.
package struct ReceivedReport: Sendable {
    /// The method of the request that began it.
    package var method: String
    /// The target of the request that began it.
    package var target: String
    /// The fields of the request that began it, as far as the server in front of the application hands them on.
    package var headers: HeaderFields
    /// Empty if the server does not keep bodies.
    package var body: [UInt8]
    package var byteCount: Int
    /// Of the body, kept or not, in lower-case hexadecimal digits.
    package var sha256: String
    /// The path of its upload resource; `nil` if it came in one ordinary request, or if the server hides the way.
    package var uploadPath: String?
}

/// What an application answers to a whole report.
package struct ReportAnswer: Sendable {
    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    /// An answer; without any arguments a plain 200.
    package init(status: Int = 200, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// An application: it answers a report that is already on record, and must not call the server it stands behind.
package typealias ReportApplication = @Sendable (ReceivedReport) -> ReportAnswer
