import Background
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import Reports

/// Signatures against those that other programs made: eight of botocore's, and four of Amazon's documentation.
@Suite("AWS Signature Version 4")
struct SignatureV4Tests {
    struct Vector: Decodable, Sendable, CustomTestStringConvertible {
        var name: String
        var method: String
        var url: String
        var region: String
        var accessKey: String
        var secretKey: String
        var sessionToken: String?
        var amzDate: String
        var payloadHash: String
        var signedHeaders: [String: String]
        var canonicalRequest: String
        var stringToSign: String
        var authorization: String

        var testDescription: String { name }

        var fields: HTTPFields {
            signedHeaders.reduce(into: [:]) { fields, header in
                guard let name = HTTPField.Name(header.key) else { return }
                fields[name] = header.value
            }
        }

        var target: String {
            let rest = url.dropFirst(url.hasPrefix("https") ? 8 : 7)
            return String(rest[(rest.firstIndex(of: "/") ?? rest.endIndex)...])
        }
    }

    private struct File: Decodable {
        var signingKeys: [String: String]
        var vectors: [Vector]
    }

    private static let file = try? ScriptedAnswer.decoder.decode(
        File.self, from: Data(contentsOf: ScriptedAnswer.fixtures.appending(path: "sigv4.json")))

    @Test("are those of the vectors, step by step", arguments: file?.vectors ?? [])
    func vector(_ vector: Vector) {
        let signature = SignatureV4(
            key: S3AccessKey(id: vector.accessKey, secret: vector.secretKey, sessionToken: vector.sessionToken),
            region: vector.region, date: vector.amzDate)
        let canonical = SignatureV4.canonicalRequest(
            vector.method, vector.target, vector.fields, payloadHash: vector.payloadHash)
        #expect(canonical == vector.canonicalRequest)
        #expect(signature.stringToSign(canonical) == vector.stringToSign)
        let authorization = signature.authorization(
            vector.method, vector.target, vector.fields, payloadHash: vector.payloadHash)
        #expect(authorization == vector.authorization)
    }

    @Test("there are vectors, and the keys of a day and a region are those of the vectors")
    func keys() throws {
        let file = try #require(Self.file)
        #expect(file.vectors.count == 12)
        let keys = SigningKeys()
        for _ in 1...2 {
            for (scope, key) in file.signingKeys {
                let parts = scope.split(separator: "/").map(String.init)
                let made = keys.key(
                    secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", day: parts[0], region: parts[1])
                #expect(made.map { String(format: "%02x", $0) }.joined() == key)
            }
        }
    }

    @Test("a name that stands twice is signed as one, and what the way may change is not signed")
    func unsigned() {
        var fields: HTTPFields = [.host: "a", .userAgent: "x", .te: "y", .expect: "z", .connection: "close"]
        for value in [" a  b ", "c"] {
            fields.append(HTTPField(name: .known("X-Amz-Meta-N"), value: value))
        }
        fields[.known("proxy-thing")] = "p"
        let canonical = SignatureV4.canonicalRequest("PUT", "/k", fields, payloadHash: "h")
        #expect(canonical == "PUT\n/k\n\nhost:a\nx-amz-meta-n:a b,c\n\nhost;x-amz-meta-n\nh")
    }

    @Test("a date is the one of ISO 8601 without its marks")
    func date() {
        #expect(SignatureV4.date(milliseconds: 1_795_867_200_999) == "20261128T120000Z")
    }
}
