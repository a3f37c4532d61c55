import Background
import DurableIO
import HTTPTypes
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// A download that breaks twice before it is whole, on a disk whose power may go before and after each change and
/// between any two commits of the ledger. On each of the disks that come of it a next life begins.
@Suite("Downloads and power cuts", .timeLimit(.minutes(10)))
struct DownloadPowerCutTests {
    private static let content = ServedContent.numbered(3_000).bytes
    private static let request = DownloadFixture.request("http://content.example/a")

    @Test("after any cut the content comes whole, and what was settled is not fetched again")
    func everyPoint() async throws {
        let images = try await images()
        #expect(images.count > 12, "\(images.count)")
        var losses: [String] = []
        for (label, image) in images {
            if let loss = try await loss(on: image) { losses.append("\(label): \(loss)") }
        }
        #expect(losses == [])
    }

    @Test("the suite fails when contents or names are not made durable, or the ledger's commits are not")
    func selfTest() async throws {
        for ignored in [PowerCutFileSystem.Sync.contents, .names("downloads")] {
            var losses = 0
            for (_, image) in try await images(ignoring: [ignored]) where try await loss(on: image) != nil {
                losses += 1
            }
            #expect(losses > 0, "\(ignored)")
        }
    }

    // MARK: - The first life

    private func images(ignoring: Set<PowerCutFileSystem.Sync> = []) async throws -> [(String, DiskImage)] {
        let cuts = Mutex<[PowerCut]>([])
        try await withTemporaryDirectory { directory in
            let files = try PowerCutFileSystem(directory, spool: "root") { cut in cuts.withLock { $0.append(cut) } }
            files.ignore(ignoring)
            let clock = ManualClock()
            let transport = ScriptedTransport(clock: clock) { sent in
                await Self.serve(sent, breaking: sent.index < 2 ? 1_000 : nil) { files.moment("between commits") }
            }
            let downloader = Self.downloader(FilePath(directory + "/root"), clock, transport, files)
            let wait = Task { await downloader.networkResponse(from: Self.request, with: "a") }
            await clock.pass { transport.sent.count == 3 }
            #expect(await wait.value.word == "success")
            files.moment("after the settlement")
            await downloader.shutdown()
        }
        var seen: Set<DiskImage> = []
        var images: [(String, DiskImage)] = []
        for cut in cuts.withLock({ $0 }) {
            for outcome in [PowerCut.Outcome.none, .all, .some(1), .some(2)] {
                guard let image = cut.image(outcome), seen.insert(image).inserted else { continue }
                images.append(("\(cut.label), \(outcome)", image))
            }
        }
        return images
    }

    // MARK: - The next one

    /// What is wrong after the reboot; `nil` when all is as promised.
    private func loss(on image: DiskImage) async throws -> String? {
        try await withTemporaryDirectory { directory in
            try image.reboot(into: directory)
            let root = FilePath(directory + "/root")
            let clock = ManualClock(boot: 10_000, bootID: "boot-2")
            let wasSettled = Self.isSettled(root, clock)
            let transport = ScriptedTransport(clock: clock) { await Self.serve($0, breaking: nil) {} }
            let downloader = Self.downloader(root, clock, transport, POSIXFileSystem())
            let wait = Task { await downloader.networkResponse(from: Self.request, with: "a") }
            let isOver = Gate()
            let passing = Task { await clock.pass { isOver.isOpen } }
            let response = await wait.value
            isOver.open()
            await passing.value
            defer { Task { await downloader.shutdown() } }
            guard let file = response.file else { return "\(response)" }
            let found = try DownloadFixture(directory: directory).content(of: file)
            guard found == Self.content else { return "\(found?.count ?? -1) bytes, not the content's" }
            return wasSettled && !transport.sent.isEmpty ? "fetched again" : nil
        }
    }

    private static func isSettled(_ root: FilePath, _ clock: ManualClock) -> Bool {
        let files = POSIXFileSystem()
        guard let directory = try? files.openDirectory(root),
            let reader = try? LedgerReader(name: "ledger.sqlite", in: directory, files: files, clock: clock)
        else { return false }
        return (try? reader.queries.record("\u{1f}da"))??.state == .delivered
    }

    private static func downloader(
        _ root: FilePath, _ clock: ManualClock, _ transport: ScriptedTransport, _ files: any FileSystem
    ) -> Downloader {
        var configuration = BackgroundSessionConfiguration.background(withIdentifier: "com.example.test")
        configuration.rootDirectory = root
        var seams = SessionSeams()
        (seams.clock, seams.transport, seams.files) = (clock, transport, files)
        return Downloader(sessionConfiguration: configuration, seams: seams)
    }

    /// Gives the content, or its rest, in pieces of 500 bytes.
    private static func serve(
        _ sent: ScriptedTransport.Sent, breaking count: Int?, _ between: @Sendable () -> Void
    ) async -> TransportResult {
        guard let sink = sent.request.sink else { return .refused }
        let first = sent.request.fields[.range].flatMap { Int($0.dropFirst(6).dropLast()) } ?? 0
        let part = content[first...]
        var fields: HTTPFields = [.eTag: "\"one\"", .contentLength: "\(part.count)"]
        if first > 0 { fields[.contentRange] = "bytes \(first)-\(content.count - 1)/\(content.count)" }
        let head = TransferAnswer(
            status: first > 0 ? 206 : 200, fields: fields, body: [], bytesSent: 0, isWholeBodySent: true,
            isLoopback: true)
        do {
            guard try await sink.wants(head) else { return .answer(head) }
            between()
            for start in stride(from: 0, to: min(part.count, count ?? part.count), by: 500) {
                try await sink.write(Array(part.dropFirst(start).prefix(500)))
                between()
            }
            return count == nil ? .answer(head) : .lost
        } catch {
            return .noAnswer(.localTrouble("\(error)"))
        }
    }
}
