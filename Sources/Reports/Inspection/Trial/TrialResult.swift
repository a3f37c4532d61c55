package import Background
package import Diagnosis
import DurableIO

/// What a trial of a destination showed.
package struct TrialResult: Sendable {
    /// What it comes to, the better one first.
    package enum Verdict: Int, Comparable, Sendable {
        case fine
        /// Something could not be reached, or asked to wait: the next try may succeed.
        case notNow
        /// The server does not want the report.
        case rejected
        /// A setting is wrong: a person has to change something.
        case misconfigured

        package static func < (one: Verdict, other: Verdict) -> Bool { one.rawValue < other.rawValue }
    }

    /// What became of the report that was sent.
    package struct Sent: Sendable {
        package let id: String
        /// Where it stays after a delivery, without the query.
        package let url: String
        package let status: Int?
        /// `delivered`, `waiting`, `held` or `rejected`: what the state of a report would be.
        package let state: String
        /// The reason of that state; `nil` after a delivery.
        package let reason: String?
        package let error: String?
        package let receipt: String?
    }

    package let name: String
    /// What the endpoint begins with: the protocol.
    package let scheme: String
    package let gateKey: String
    /// The endpoint as the settings show it, without secrets.
    package let endpoint: String?
    package let findings: ConnectionFindings
    /// The request by which a report would be sent; or why there is none.
    package let request: Result<MaskedRequest, NoAnswer>
    /// What the body of the request is, in words.
    let bodyContent: String
    /// `nil` when nothing was sent.
    package internal(set) var sent: Sent?
    /// Why nothing was sent although that was asked for.
    package internal(set) var omission: String?
    package internal(set) var verdict: Verdict
}

extension TrialResult.Verdict {
    init(_ problem: ConnectionProblem?) {
        switch problem {
        case nil: self = .fine
        case .unreachable, .interrupted: self = .notNow
        case .untrusted, .unauthorized, .invalidSetting: self = .misconfigured
        }
    }

    init(_ trouble: NoAnswer) {
        switch trouble {
        case .failure, .failedRead, .missing, .localTrouble, .unsendable, .interrupted: self = .notNow
        case .untrusted, .unprepared, .withheld, .notAdmitted: self = .misconfigured
        }
    }

    init(_ disposition: ResponseDisposition) {
        switch disposition {
        case .delivered: self = .fine
        case .notNow, .wait: self = .notNow
        case .rejected: self = .rejected
        // A login page is gone once somebody has logged in.
        case .hold(.portal): self = .notNow
        case .hold: self = .misconfigured
        }
    }
}

// MARK: - For scripts

extension TrialResult {
    /// One object, without anything secret.
    package var json: JSONObject {
        var object = JSONObject()
        object["destination"] = .string(name)
        object["kind"] = .string(scheme)
        object["gate"] = .string(gateKey)
        object["endpoint"] = JSONValue(endpoint)
        object["proxy"] = JSONValue(findings.proxy)
        object["resolve"] = Self.json(findings.resolve) { object, addresses in
            object["addresses"] = .array(addresses.map { .string($0) })
        }
        object["connect"] = Self.json(findings.connect) { $0["address"] = .string($1) }
        object["tls"] = tlsJSON
        object["request"] = requestJSON
        object["sent"] = sent.map { .object($0.json) } ?? .null
        if let omission { object["not_sent"] = .string(omission) }
        object["ok"] = .bool(verdict == .fine)
        return object
    }

    private static func json<Finding: Sendable>(
        _ step: ConnectionFindings.Step<Finding>?, _ describe: (inout JSONObject, Finding) -> Void
    ) -> JSONValue {
        guard let step else { return .null }
        var object = JSONObject()
        object["ok"] = .bool(step.problem == nil)
        object["ms"] = .double(step.milliseconds)
        object["error"] = JSONValue(step.problem?.text)
        if case .success(let finding) = step.result { describe(&object, finding) }
        return .object(object)
    }

    private var tlsJSON: JSONValue {
        let step = Self.json(findings.tls) { object, handshake in
            object["version"] = .string(handshake.version)
            object["client_certificate"] = .bool(handshake.hasClientCertificate)
        }
        guard case .object(var object) = step else { return step }
        guard let certificate = findings.certificate else { return step }
        object["names"] = .array(certificate.names.map { .string($0) })
        object["issuer"] = JSONValue(certificate.issuer)
        object["not_after"] = .string(RFC3339.string(milliseconds: certificate.notAfter))
        return .object(object)
    }

    private var requestJSON: JSONValue {
        var object = JSONObject()
        switch request {
        case .failure(let trouble): object["error"] = .string(trouble.text)
        case .success(let request):
            object["method"] = .string(request.method)
            object["url"] = .string(request.url)
            var headers = JSONObject()
            for field in request.fields {
                // The same name twice is one value (RFC 9110, section 5.2).
                let earlier = headers[field.name]?.stringValue.map { $0 + ", " } ?? ""
                headers[field.name] = .string(earlier + field.value)
            }
            object["headers"] = .object(headers)
            object["body_size"] = .integer(Int64(clamping: request.bodyByteCount))
            object["form"] = .string(request.form.rawValue)
        }
        return .object(object)
    }
}

extension ConnectionFindings.Step {
    /// How long it took, in milliseconds with one decimal place.
    package var milliseconds: Double {
        let (seconds, rest) = took.components
        return (Double(seconds) * 10_000 + Double(rest) / 1e14).rounded() / 10
    }
}

extension TrialResult.Sent {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object["id"] = .string(id)
        object["url"] = .string(url)
        object["status"] = status.map { .integer(Int64($0)) } ?? .null
        object["state"] = .string(state)
        object["reason"] = JSONValue(reason)
        object["error"] = JSONValue(error)
        object["receipt"] = receipt.flatMap { try? JSONValue.parse(Array($0.utf8)) } ?? .null
        return object
    }
}
