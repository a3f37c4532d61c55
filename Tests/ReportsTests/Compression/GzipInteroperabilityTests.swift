import Foundation
import Reports
import TestSupport
import Testing

@Suite("Other programs")
struct GzipInteroperabilityTests {
    /// Names instead of bytes: the arguments of a test are printed.
    enum Sample: CaseIterable {
        case nothing
        case oneByte
        case smallText
        case noise
        case mixture
        case zeros

        var payload: [UInt8] {
            switch self {
            case .nothing: []
            case .oneByte: [0]
            case .smallText: SamplePayload.text(4_097)
            case .noise: SamplePayload.random(300_000)
            case .mixture: SamplePayload.mixed(3 << 20)
            case .zeros: SamplePayload.zeros(1 << 20)
            }
        }
    }

    @Test(
        "gunzip reads stored members and wire forms", .enabled(if: Tool.isInstalled("gunzip")),
        arguments: Sample.allCases)
    func gunzip(sample: Sample) throws {
        let payload = sample.payload
        let (sink, _) = try makeMember(payload)
        #expect(try Tool.run("gunzip", "-c", input: sink.member) == payload)
        #expect(try Tool.run("gunzip", "-c", input: sink.wire) == payload)
    }

    @Test(
        "Python reads stored members and wire forms", .enabled(if: Tool.isInstalled("python3")),
        arguments: Sample.allCases)
    func python(sample: Sample) throws {
        let payload = sample.payload
        let program = "import gzip, sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))"
        let (sink, _) = try makeMember(payload)
        #expect(try Tool.run("python3", "-c", program, input: sink.member) == payload)
        #expect(try Tool.run("python3", "-c", program, input: sink.wire) == payload)
    }

    @Test("Python's own members are read", .enabled(if: Tool.isInstalled("python3")))
    func foreignMember() throws {
        let program = """
            import gzip, sys
            with gzip.GzipFile(filename='dir/caf\\xe9.txt', mode='wb', fileobj=sys.stdout.buffer, mtime=77) as file:
                file.write(sys.stdin.buffer.read())
            """
        let payload = SamplePayload.text(200_000)
        let member = try Tool.run("python3", "-c", program, input: payload)
        let header = try GzipMemberHeader(parsing: member)
        #expect(header.name == [0x63, 0x61, 0x66, 0xe9] + Array(".txt".utf8))
        #expect(header.modificationTime == 77)
        #expect(header.properties == nil && header.record == nil)
        #expect(try inflated(Array(member[header.byteCount...].dropLast(8)), .raw) == payload)
        #expect(try inflated(member, .gzip) == payload)
    }

    @Test("gzip's own members are read", .enabled(if: Tool.isInstalled("gzip")))
    func gzip() throws {
        let payload = SamplePayload.mixed(500_000)
        let member = try Tool.run("gzip", "-9", "-c", input: payload)
        #expect(try GzipMemberHeader(parsing: member).byteCount == 10)
        #expect(try inflated(member, .gzip, chunk: 999) == payload)
        #expect(Inflater.gzipPrefix(member[...], limit: 1_000) == Array(payload.prefix(1_000)))
    }
}

/// A program of the system, fed and read through files, so that no full pipe stops it.
private enum Tool {
    struct Failed: Error {
        let status: Int32
    }

    static func isInstalled(_ name: String) -> Bool {
        let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
        return folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
    }

    static func run(_ arguments: String..., input: [UInt8]) throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "compression-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (source, result) = (folder.appending(path: "input"), folder.appending(path: "output"))
        try Data(input).write(to: source)
        try Data().write(to: result)

        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.standardInput = try FileHandle(forReadingFrom: source)
        process.standardOutput = try FileHandle(forWritingTo: result)
        try TestSupport.start(process)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failed(status: process.terminationStatus) }
        return [UInt8](try Data(contentsOf: result))
    }
}
