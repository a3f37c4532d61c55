import Background
import Diagnosis
import DurableIO

/// Where a report goes that was submitted with a request of its own: all of the request but its headers' values.
///
/// It is stored with the bytes, so that no ledger has to be whole for the report not to go elsewhere.
package struct CallerRequest: Hashable, Sendable {
    package let method: String
    package let url: String
    /// In the request's order, for people, and to know whether it can be made again from this alone.
    package let headerNames: [String]

    package init(method: String, url: String, headerNames: [String]) {
        self.method = method
        self.url = url
        self.headerNames = headerNames
    }

    var json: JSONValue {
        var object = JSONObject()
        object["method"] = .string(method)
        object["url"] = .string(url)
        object["headers"] = .array(headerNames.map(JSONValue.string))
        return .object(object)
    }

    init?(json: JSONValue?) {
        guard let method = json?["method"]?.stringValue, let url = json?["url"]?.stringValue else { return nil }
        self.init(
            method: method, url: url,
            headerNames: json?["headers"]?.arrayValue?.compactMap(\.stringValue) ?? [])
    }

    /// The request as the row's columns. `nil` when the stored URL is not a valid http or https URL; then the row has
    /// no request, and the report goes to the spool's destination.
    func stored(id: ContentHash) -> TransferRecord.StoredRequest? {
        guard let endpoint = try? Endpoint(url) else { return nil }
        return TransferRecord.StoredRequest(
            origin: endpoint.origin, method: method, url: url, headerNames: headerNames, bodyPath: "",
            bodyHash: id.hex)
    }
}
