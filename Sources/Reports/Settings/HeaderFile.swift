package import DurableIO
import Synchronization
package import SystemPackage

/// A file that headers are read from, read again at each attempt: a run may live for months, and a token only for an
/// hour.
///
/// What is wrong with the file later changes nothing: the headers stay as they were when it was read last. So a file that
/// is half written costs nothing, and a run of root that has become the spool's owner goes on without a file that only
/// root may read.
package final class HeaderFile: Sendable {
    /// Reads the headers that the bytes of the file hold.
    package typealias Reader = @Sendable ([UInt8]) throws(ReportsError) -> [HeaderSetting]

    private let path: FilePath
    private let files: any FileSystem
    private let limit: Int
    private let read: Reader
    private let last = Mutex<[HeaderSetting]>([])

    /// - Parameters:
    ///   - path: of the file.
    ///   - files: what it is read with.
    ///   - limit: of the bytes that are read.
    ///   - read: reads them.
    package init(_ path: FilePath, files: any FileSystem, limit: Int, _ read: @escaping Reader) {
        self.path = path
        self.files = files
        self.limit = limit
        self.read = read
    }

    /// Notes the headers as they were read for the settings.
    /// - Returns: the same headers, which know their file.
    package func holding(_ headers: [HeaderSetting]) -> [HeaderSetting] {
        last.withLock { $0 = headers }
        return headers.map { $0.of(self) }
    }

    /// The headers as the file has them now, else as it had them last.
    var headers: [HeaderSetting] {
        guard let found = contents.flatMap({ try? read($0) }), !found.isEmpty else { return last.withLock(\.self) }
        last.withLock { $0 = found }
        return found
    }

    /// `nil` for what cannot be read, and for what can be read only once, such as a pipe of the shell.
    private var contents: [UInt8]? {
        guard let file = try? files.openFile(path), let facts = try? files.metadata(of: file), facts.kind == .regular
        else { return nil }
        return try? files.read(file, limit: limit)
    }
}

extension [HeaderSetting] {
    /// The names and values that are sent now: those of files as the files have them.
    var current: [(name: String, value: String)] {
        var seen: Set<ObjectIdentifier> = []
        return flatMap { header -> [HeaderSetting] in
            guard let file = header.file else { return [header] }
            return seen.insert(ObjectIdentifier(file)).inserted ? file.headers : []
        }.map { (name: $0.name, value: $0.value) }
    }
}
