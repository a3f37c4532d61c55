import DurableIO
import Foundation
import Testing

@testable import Reports

@Suite("identifiers at Sentry")
struct SentryIdentifierTests {
    private struct Vectors: Decodable {
        struct Event: Decodable {
            let reportId: String
            let eventId: String
        }
        struct Debug: Decodable {
            let buildId: String
            let littleEndian: Bool
            let codeId: String
            let debugId: String
        }

        let eventIds: [Event]
        let debugIds: [Debug]
    }

    private static func vectors() throws -> Vectors {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(
            Vectors.self, from: Data(contentsOf: ScriptedAnswer.fixtures.appending(path: "sentry.json")))
    }

    @Test("an event's identifier is made of the report's id")
    func events() throws {
        let vectors = try Self.vectors().eventIds
        #expect(vectors.count >= 4)
        for vector in vectors {
            let id = try #require(ContentHash(hexDigits: Array(vector.reportId.utf8)[...]))
            #expect(ReportUUID(id).hex == vector.eventId)
        }
    }

    @Test("a file of code has the identifiers by which its symbols are found")
    func images() throws {
        let vectors = try Self.vectors().debugIds
        #expect(vectors.count >= 5)
        for vector in vectors {
            let id = SentryDebugID(vector.buildId, isBigEndian: !vector.littleEndian)
            #expect(id?.codeID == vector.codeId)
            #expect(id?.debugID == vector.debugId)
        }
        #expect(
            SentryDebugID("0F6D2F7E58A13D7793C04A0B5E1C9D21", isApple: true)?.debugID
                == "0f6d2f7e-58a1-3d77-93c0-4a0b5e1c9d21")
    }

    @Test("what is no build id has no identifiers", arguments: [nil, "", "0", "abc", "xy", "0f6d-2f7e", "éé"])
    func noImages(text: String?) {
        #expect(SentryDebugID(text) == nil)
        #expect(SentryDebugID(text, isApple: true) == nil)
    }

    @Test("the UUID of a Mach-O file has 16 bytes")
    func shortUUID() {
        #expect(SentryDebugID("0f6d2f7e", isApple: true) == nil)
        #expect(SentryDebugID(String(repeating: "0", count: 130)) == nil)
    }
}
