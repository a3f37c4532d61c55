import Background

extension HoldReason {
    /// What is wrong and what a person can do, in a sentence that ends in no full stop.
    /// - Parameters:
    ///   - lastStatus: of the last answer, if there was one.
    ///   - lastError: what the last attempt came to, in words.
    /// - Returns: the sentence.
    func advice(lastStatus: Int?, lastError: String?) -> String {
        switch self {
        case .auth where lastStatus == 407: "the proxy wants credentials: put them into its URL"
        case .auth: Self.credentialAdvice(lastStatus: lastStatus, lastError: lastError)
        case .acknowledgement: "the server gives no proof of receipt: check the endpoint and --acknowledgement"
        case .forbidden: Self.refusalAdvice(lastStatus: lastStatus, lastError: lastError)
        case .tls: "\(lastError ?? "no TLS"): check the certificates, and this machine's clock"
        case .redirect: "\(lastError ?? "the server points elsewhere"): change the endpoint"
        case .portal: lastError ?? "a portal sits in between: log in to the network"
        case .encoding: "the server does not take this encoding: try --encoding file or identity"
        case .rejecting: "the server rejects everything: check the endpoint"
        case .poison: "the program died three times while it sent this report; it is sent alone"
        case .destination: "\(lastError ?? "the server knows no such address"): correct the endpoint"
        case .clock: "\(lastError ?? "the server refuses the time of its requests"): set this machine's clock"
        case .route:
            "no route sends it: change the routes, and the next submit asks them; after any other change 'reports retry' it"
        case .caller: "its program has to give the request again: it has headers that are stored nowhere"
        }
    }

    private static func refusalAdvice(lastStatus: Int?, lastError: String?) -> String {
        let words = lastError.flatMap { $0 == lastStatus.map { "the server answered \($0)" } ? nil : $0 }
        return "\(words ?? "the server forbids it"): change the credentials or ask its operator"
    }

    /// Some servers say what is wrong with the credentials, others answer with a status alone.
    private static func credentialAdvice(lastStatus: Int?, lastError: String?) -> String {
        guard let lastError, lastError != lastStatus.map({ "the server answered \($0)" }) else {
            return "the server wants other credentials: correct the header, see 'reports settings'"
        }
        return "\(lastError): correct the credentials"
    }
}

extension ReportView {
    /// Whether it is held, and a submit may try it before its time: it ends with an acceptance, and does not rest.
    package var isProbed: Bool {
        guard state == TransferState.held.rawValue, !isResting else { return false }
        return reason.flatMap(HoldReason.init)?.endsBy == .acceptance
    }

    /// What a person can do about a held report; `nil` for any other.
    package var holdAdvice: String? {
        guard state == TransferState.held.rawValue else { return nil }
        if reason == HoldReason.route.rawValue, note?.hasPrefix(Router.noteBeginning) == true {
            return "send it elsewhere by a route, or change the endpoint; the next submit asks again"
        }
        return reason.flatMap(HoldReason.init)?.advice(lastStatus: lastStatus, lastError: lastError)
    }
}
