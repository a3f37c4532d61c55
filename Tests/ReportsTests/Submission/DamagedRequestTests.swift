import Reports
import Testing

@Suite("Damaged requests to the owner")
struct DamagedRequestTests {
    @Test(
        "a request whose id is no id is no request, and never means all",
        arguments: [#""id":7,"#, #""id":"","#, #""id":"0123","#, #""id":["a"],"#, ""])
    func damagedIdentifier(_ member: String) {
        let text = #"{"action":"retry",\#(member)"filed_at":1}"#
        #expect(OwnerRequest(bytes: Array(text.utf8)) == nil)
    }

    @Test(
        "what is written is read again, with an id and for all",
        arguments: [nil, String(repeating: "a1", count: 32)])
    func roundTrip(_ id: String?) {
        let request = OwnerRequest(.remove, id: id, filedAt: 12)
        #expect(OwnerRequest(bytes: request.bytes) == request)
    }
}
