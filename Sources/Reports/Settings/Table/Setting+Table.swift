// The table of settings: a row for each. A new setting is a row here, its name in `allCases`, and, if it is about
// sending, a line in the tool's `SendingOptions` and one in its `given`, which a test asks for.

extension Setting {
    package static let endpoint = destination(
        "endpoint", \.endpoint, .optional(.endpoint),
        Words(
            "Where reports go: \(SettingForm.endpoint.expectation).",
            details: "To an http address, reports are PUT with {id} in it, else POSTed. Default: $REPORTS_ENDPOINT.",
            valueName: "url"),
        mask: AddressMask.withoutSecrets)
    package static let encoding = destination(
        "encoding", \.encoding, .optional(.encoding),
        Words(
            "gzip (Content-Encoding), file (a .gz as it is) or identity (inflated while it is sent).",
            valueName: "encoding", standard: "gzip; for S3 file; for minidumps identity"))
    package static let acknowledgement = destination(
        "acknowledgement", \.acknowledgement, .optional(.acknowledgement),
        Words(
            "The proof without which no 2xx counts: header:NAME, json:POINTER or any.", valueName: "proof",
            standard: "none; for S3, Sentry and minidumps their own"))
    package static let tlsAuthorities = destination(
        "tls_authorities", \.tls.certificateAuthorities, .optional(.path("a file of certificates in PEM")),
        Words("Authorities to trust besides the system's, in PEM.", valueName: "file"))
    package static let tlsCertificate = destination(
        "tls_certificate", \.tls.clientCertificate, .optional(.path("a file with the client's certificate in PEM")),
        Words("The client's certificate, in PEM.", valueName: "file"))
    package static let tlsKey = destination(
        "tls_key", \.tls.clientKey, .optional(.path("a file with the client's key in PEM")),
        Words("The client's key, in PEM.", valueName: "file", standard: "in the certificate's file"))
    package static let tlsMinimum = destination(
        "tls_minimum", \.tls.minimumVersion, .tlsVersion,
        Words("The oldest TLS to speak, 1.2 or 1.3.", valueName: "version"))
    package static let proxy = destination(
        "proxy", \.proxy, .proxy,
        Words(
            "The proxy: http://[USER:PASSWORD@]HOST:PORT, socks5://HOST:PORT, none or environment.", valueName: "url",
            standard: ", that is $https_proxy, $http_proxy and $no_proxy as curl reads them"),
        mask: AddressMask.withoutCredentials)
    package static let noProxy = destination(
        "no_proxy", \.proxyExceptions, .optional(.text("hosts and networks, separated by commas")),
        Words(
            "Hosts and networks reached without the proxy, separated by commas.", valueName: "hosts",
            standard: "$no_proxy"))

    package static let connectTimeout = sending(
        "connect_timeout", \.timeouts.connect, .seconds,
        Words("How long to wait for a connection.", valueName: "seconds"))
    package static let idleTimeout = sending(
        "idle_timeout", \.timeouts.idle, .seconds, Words("How long to wait while no byte moves.", valueName: "seconds"))
    package static let answerTimeout = sending(
        "answer_timeout", \.timeouts.answer, .seconds,
        Words(
            "How long to wait for the answer after the last byte.", valueName: "seconds",
            standard: ", doubled with each attempt of a report up to 1800"))
    package static let maximumConcurrent = sending(
        "max_concurrent", \.maximumConcurrent, .number(in: 1...64),
        Words("How many reports are under way at once, 1 to 64.", valueName: "n"))

    package static let maximumReportSize = limit(
        "max_report_size", \.maximumReportByteCount, .bytes,
        Words("The largest payload that is taken in.", valueName: "size"))
    package static let minimumFreeSpace = limit(
        "min_free_space", \.minimumFreeByteCount, .optional(.bytes),
        Words(
            "The space of the file system that is left to others.", valueName: "size",
            standard:
                "5 % of the file system, at most 64 MiB for a report of up to 1 MiB, at most 1 GiB for a larger one"
        ),
        share: { $0.floor(ofTotal: $1, forReportOf: 0) })
    package static let maximumTotalSize = limit(
        "max_total_size", \.maximumTotalByteCount, .optional(.bytes),
        Words(
            "All stored reports together, compressed; beyond it the least important ones are evicted.",
            valueName: "size", standard: "10 % of the file system, at least 64 MiB, at most 16 GiB"),
        share: { $0.total(ofTotal: $1) })
    package static let maximumCount = limit(
        "max_count", \.maximumCount, .number(in: 1...100_000_000),
        Words("How many reports are stored; beyond it the least important ones are evicted.", valueName: "n"))
    package static let maximumAge = limit(
        "max_age_days", \.maximumAge, .days,
        Words("How many days an undelivered report is kept before it is evicted.", valueName: "days"))
    package static let maximumPerSignature = limit(
        "max_per_signature", \.maximumPerSignature, .signatureLimit,
        Words(
            "How many reports of one signature are taken in within a time, as 10 per 1 h; others are evicted at once.",
            valueName: "limit"))
}

extension Setting: CaseIterable {
    /// All of them, in the order in which they are shown and checked.
    package static let allCases: [Setting] = [
        .endpoint, .encoding, .acknowledgement, .tlsAuthorities, .tlsCertificate, .tlsKey, .tlsMinimum, .proxy,
        .noProxy, .connectTimeout, .idleTimeout, .answerTimeout, .maximumConcurrent, .maximumReportSize,
        .minimumFreeSpace, .maximumTotalSize, .maximumCount, .maximumAge, .maximumPerSignature,
    ]

    /// The variables of the environment that the tool reads by itself.
    package static let otherVariables = [
        "REPORTS_SPOOL", "REPORTS_CONFIG", "REPORTS_HEADERS", Settings.annotationsVariable,
    ]
}
