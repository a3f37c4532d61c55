import Digests
import DurableIO

/// The bytes around a file in a form of `multipart/form-data` (RFC 7578): text fields first, and one file behind them.
///
/// The file itself is not in memory: it is sent between ``beginning`` and ``end``.
struct MultipartForm: Sendable {
    /// A text field.
    struct Field: Hashable, Sendable {
        let name: String
        let value: String
    }

    /// What separates the parts. No field holds it.
    let boundary: String
    /// All before the file's first byte.
    let beginning: [UInt8]
    /// All behind the file's last byte.
    let end: [UInt8]

    /// - Parameters:
    ///   - fields: the text fields, in their order.
    ///   - file: the name of the file's field.
    ///   - fileName: the name of the file, of which receivers see the ending.
    ///   - hash: the SHA-256 of the file's bytes.
    init(fields: [Field], file: String, fileName: String, hash: ContentHash) {
        let boundary = Self.boundary(hash, apartFrom: fields)
        var text = ""
        for field in fields {
            text += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(Self.escaped(field.name))\"\r\n\r\n"
            text += "\(field.value)\r\n"
        }
        text += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(Self.escaped(file))\"; "
        text += "filename=\"\(Self.escaped(fileName))\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        self.boundary = boundary
        beginning = Array(text.utf8)
        end = Array("\r\n--\(boundary)--\r\n".utf8)
    }

    /// The value of `Content-Type`. Some receivers take `boundary` only as the first parameter.
    var contentType: String { "multipart/form-data; boundary=\(boundary)" }

    /// A boundary that is the same at each attempt to send the same file with the same fields.
    ///
    /// The fields are looked at, and the first of a series of boundaries that none of them holds is taken. The file need
    /// not be looked at: the boundary is made from its hash, so a file that holds its own boundary would hold a part of
    /// its own hash, 96 bits of it. Nobody can make such a file, and by chance none in 2^60 or more will ever be one.
    private static func boundary(_ hash: ContentHash, apartFrom fields: [Field]) -> String {
        var number = 0
        while true {
            let digest = ContentHash(of: Array("multipart \(number) \(hash.hex)".utf8))
            let boundary = "reports-\(digest.hex.prefix(24))"
            // There are fewer fields than numbers, so the search ends; nearly always at the first one.
            if !fields.contains(where: { $0.name.contains(boundary) || $0.value.contains(boundary) }) {
                return boundary
            }
            number += 1
        }
    }

    /// A name between quotation marks, with the characters that would end it written as browsers write them.
    private static func escaped(_ name: String) -> String {
        PercentEncoding.encode(name) { $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "%") }
    }
}
