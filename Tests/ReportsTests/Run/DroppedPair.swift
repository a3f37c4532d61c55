import DurableIO
import Foundation
import Reports
import TestSupport

/// A payload that a program drops, with or without a sidecar, and the annotations that belong to the payload alone.
struct DroppedPair: Sendable {
    /// The path in `incoming/`.
    let path: String
    let payload: String
    /// The value of the annotation `site` in the sidecar; `nil` for a drop without a sidecar.
    var site: String?

    static let room = "shop@2.1"
    static let roomAnnotations = ["service": "shop", "version": "2.1"]

    var annotations: [String: String] {
        var annotations = path.hasPrefix(Self.room + "/") ? Self.roomAnnotations : [:]
        annotations["site"] = site
        return annotations
    }

    /// The drop room, and the name in it.
    var place: (room: EntryName?, name: EntryName) {
        let parts = path.split(separator: "/").compactMap { EntryName(String($0)) }
        return (parts.count > 1 ? parts[0] : nil, parts.last ?? "core")
    }

    /// A sidecar that also tries to speak for the room.
    var sidecar: String? { site.map { "site=\($0)\n" + (path.contains("/") ? "service=other\n" : "") } }

    /// A drop of the same name that comes later, alone.
    var later: DroppedPair { DroppedPair(path: path, payload: "after \(payload)") }
}

extension SpoolHarness {
    /// Drops the sidecar first.
    func drop(_ pair: DroppedPair) throws {
        if let sidecar = pair.sidecar { try drop(pair.path + ".annotations", sidecar) }
        try drop(pair.path, pair.payload)
    }

    /// The files that are on the way, except drop rooms.
    func leftovers() throws -> [String] {
        try ["incoming", "taken", "tmp", "collected", "queued", "parked"].flatMap { room in
            try FileManager.default.subpathsOfDirectory(atPath: "\(path)/\(room)")
                .map { "\(room)/\($0)" }.filter { $0 != "incoming/\(DroppedPair.room)" }
        }
    }
}
