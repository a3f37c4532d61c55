import Diagnosis
import Foundation

/// A packed drop as RFC 1951 and 1952 say it, read with nothing of the code that wrote it.
struct DropForTests {
    let name: String
    let properties: JSONValue
    let payload: [UInt8]

    struct Damage: Error {}

    init(_ path: String) throws {
        name = URL(fileURLWithPath: path).lastPathComponent
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        func number(_ place: Int, _ count: Int) -> Int {
            (0..<count).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
        }
        guard bytes.count > 30, bytes.starts(with: [0x1f, 0x8b, 8, 4]), bytes[12...13] == [0x52, 0x50] else {
            throw Damage()
        }
        let propertiesEnd = 16 + number(14, 2)
        guard number(10, 2) == number(14, 2) + 4 else { throw Damage() }
        properties = try JSONValue.parse(bytes[16..<propertiesEnd])
        var (place, payload, isLast) = (propertiesEnd, [UInt8](), false)
        while !isLast {
            isLast = bytes[place] == 1
            let count = number(place + 1, 2)
            guard bytes[place] <= 1, number(place + 3, 2) == count ^ 0xffff else { throw Damage() }
            payload += bytes[(place + 5)..<(place + 5 + count)]
            place += 5 + count
        }
        let checksum = ~payload.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xedb8_8320 : sum >> 1 }
        }
        guard place + 8 == bytes.count, number(place, 4) == Int(checksum), number(place + 4, 4) == payload.count else {
            throw Damage()
        }
        self.payload = payload
    }

    var kind: String? { properties["kind"]?.stringValue }
    var payloadName: String? { properties["name"]?.stringValue }
    var text: String { String(decoding: payload, as: UTF8.self) }
    func annotation(_ key: String) -> String? { properties["annotations"]?[key]?.stringValue }
    var json: JSONValue? { try? JSONValue.parse(payload) }
}
