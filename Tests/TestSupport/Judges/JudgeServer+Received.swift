package import Diagnosis
import Foundation

extension JudgeServer {
    /// The lines of `received.jsonl`, where a collector of minidumps or logs keeps what it receives.
    package func received() throws -> [JSONValue] {
        try Self.objects(in: try Self.contents(of: peer.directory + "/received.jsonl"))
    }

    static func contents(of path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }
}
