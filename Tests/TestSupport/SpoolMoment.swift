import Foundation

/// Copies a spool as it lies at one moment, while other threads go on changing it.
///
/// A file that is moved meanwhile from a room that is not copied yet to one that is would be missing in the copy, as it
/// never was in the spool: then the copy is made again. A reader pins the ledger, so that its log is not begun anew
/// between the copies of its files.
/// - Parameters:
///   - path: the spool.
///   - target: where the copy goes.
/// - Throws: what keeps it from being copied, or that it never came to rest.
package func copyMoment(of path: String, to target: String) throws {
    let manager = FileManager.default
    for _ in 0..<1_000 {
        let before = try? listing(of: path)
        try? manager.removeItem(atPath: target)
        let isCopied = whileLedgerIsRead(path + "/ledger.sqlite") {
            (try? manager.copyItem(atPath: path, toPath: target)) != nil
        }
        if isCopied, let before, before == (try? listing(of: path)) { return }
    }
    throw SpoolIsRestless(path: path)
}

private struct SpoolIsRestless: Error { let path: String }

/// The files of a spool but the ledger's: an inode and a size for each path.
private func listing(of path: String) throws -> [String: [Int]] {
    var files: [String: [Int]] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: path) where !name.hasPrefix("ledger.") {
        let facts = try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
        let isDirectory = facts[.type] as? FileAttributeType == .typeDirectory
        files[name] = [
            (facts[.systemFileNumber] as? NSNumber)?.intValue ?? 0,
            isDirectory ? 0 : (facts[.size] as? NSNumber)?.intValue ?? 0,
        ]
    }
    return files
}
