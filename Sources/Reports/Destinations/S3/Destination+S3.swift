import Background
import DurableIO

extension Destination {
    /// Makes a destination that stores each report as an object in a bucket of Amazon S3, or of a server that speaks
    /// its protocol, such as MinIO, Ceph, Cloudflare R2 or OpenStack Swift.
    ///
    /// ```swift
    /// let archive = Destination.s3(bucket: "crash-reports", region: "eu-central-1", key: "shop/{host}")
    /// ```
    /// The bytes are sent in the form ``ReportEncoding/file`` unless ``encoding`` says otherwise: the object is a gzip
    /// file. The kind, the format, the times and the annotations of a report become metadata of the object. A 2xx
    /// answer means a delivery if it has an `ETag` or the id of a request of S3, unless ``acknowledgement`` says
    /// otherwise.
    ///
    /// - Parameters:
    ///   - bucket: The name of the bucket.
    ///   - region: The region. The default, `nil`, is `AWS_REGION` or `AWS_DEFAULT_REGION`, else the one of the
    ///     profile, and `us-east-1` when an endpoint is named.
    ///   - key: The template of the keys, written as the path of a URL, with the marks of an endpoint. A template
    ///     without `{id}` is a prefix before `{kind}/{yyyy}/{mm}/{dd}/{id}.gz`. The default is no prefix. In the values
    ///     of marks, `_` stands for each character but letters and digits of ASCII, `-`, `_`, `.` and `~`.
    ///   - endpoint: The URL of another server than Amazon's. The default, `nil`, is `AWS_ENDPOINT_URL_S3` or
    ///     `AWS_ENDPOINT_URL`, else the one of the profile, else Amazon. The bucket stands in the path there.
    ///   - credentials: Where the access key comes from. The default is ``S3Credentials/automatic``.
    ///   - headers: Header fields for each report, for example `x-amz-storage-class`. The default is none. They are
    ///     signed. Those that the sender sets itself are refused.
    /// - Returns: The destination. It is checked when a reporter is made; whether there are a region and an access key
    ///   is checked when sending begins.
    public static func s3(
        bucket: String, region: String? = nil, key: String = "", endpoint: String? = nil,
        credentials: S3Credentials = .automatic, headers: [(name: String, value: String)] = []
    ) -> Destination {
        Destination(headers: headers) { options throws(ReportsError) in
            if let header = headers.first(where: { S3Destination.setsHeader($0.name) }) {
                throw ReportsError(
                    .badConfiguration,
                    "the header \(QuotedText(header.name, limit: 60)) is set by Reports itself: leave it out")
            }
            var address = try S3Address(bucket: bucket, template: key)
            if let region { address.region = try S3Address.region(region) }
            if let endpoint { address.server = try S3Address.server(endpoint, from: "endpoint") }
            address.credentials = credentials
            return try S3Destination(address, options)
        }
    }
}
