import DurableIO
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import CaptureRun

/// A disk that has no room when a run begins, or from then on.
@Suite("Runs on a full disk", .timeLimit(.minutes(2)))
struct FullDiskTests {
    /// A disk of 256 KiB that is full while programs run well, and has room again when the next one runs.
    private static let story = """
        set -e
        mount -t tmpfs -o size=256k none "$home/disk"
        "$run" --quiet --spool "$home/disk/spool" -- true
        dd if=/dev/zero of="$home/disk/fill" bs=1k 2>/dev/null || true
        for i in 1 2 3; do "$run" --spool "$home/disk/spool" -- echo well; done
        ls "$home/disk/spool/runs"
        rm "$home/disk/fill"
        "$run" --quiet --spool "$home/disk/spool" -- true
        ls "$home/disk/spool/incoming" "$home/disk/spool/runs"
        """

    @Test(
        "programs that ran well while the disk was full are no crashes",
        .enabled(if: canMount, "needs root, and mounts"))
    func programs() async throws {
        try await withRunTool { tool in
            #expect(mkdir(tool.home + "/disk", 0o755) == 0)
            let script = try tool.file("story", Self.story)
            let result = try await tool.start("unshare", ["-m", "sh", script])
            #expect(result.status == 0, "\(result.errors)")
            let rooms = ["incoming:", "", "runs:"].map { $0.isEmpty ? "" : "\(tool.home)/disk/spool/\($0)" }
            #expect(result.output == (["well", "well", "well"] + rooms).joined(separator: "\n") + "\n")
            #expect(result.errors.components(separatedBy: "will not be reported").count == 4)
            #expect(result.errors.contains("free some space"))
        }
    }

    @Test("nor are those that may write no byte (ulimit -f 0)")
    func limit() async throws {
        try await withRunTool { tool in
            let result = try await tool.shell(#"ulimit -f 0; "$run" -- true"#)
            #expect(result.status == 0 && result.errors.contains("will not be reported"), "\(result.errors)")
            _ = try await tool.run("--", "true")
            for room in ["incoming", "runs"] {
                #expect(try FileManager.default.contentsOfDirectory(atPath: "\(tool.home)/spool/\(room)") == [])
            }
        }
    }

    @Test("whatever cannot be written when a run is made, nothing of it stays")
    func halfMade() throws {
        try withTemporaryDirectory { directory in
            let fixture = RunFixture(directory)
            try fixture.make().discard()
            var number = 0
            for change in 1... {
                let files = FaultingFileSystem { call throws(FileSystemError) in
                    guard call.change == change, [.create, .write].contains(call.operation) else { return }
                    throw FileSystemError(.write, "disk", .noSpace)
                }
                do throws(RunTrouble) {
                    try fixture.make(files: files).discard()
                } catch {
                    number += 1
                    #expect(error.description.contains("free some space"))
                }
                #expect(fixture.entries("runs") + fixture.entries("incoming") == [], "change \(change)")
                if files.changes < change { break }
            }
            // The lock, its marks, the record and its text.
            #expect(number == 4)
        }
    }

    @Test("a disk that is full from the start of the program on leaves all that is known of it, and its end")
    func fullLater() throws {
        try withTemporaryDirectory { directory in
            var fixture = RunFixture(directory)
            fixture.options.command = ["/srv/bin/shopd"] + (0..<200).map { "--option=\($0)" }
            fixture.options.tellsArguments = true
            let run = try fixture.make()
            let file = run.path + "/run.json"
            let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int
            var start = fixture.start
            start.path = "/" + String(repeating: "p", count: 4_000)
            (start.workingDirectory, start.cgroup) = (start.path, start.path)
            run.note(start)
            run.noteRequest()
            #expect(try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int == size)
            let record = RunRecord(incident: run.incident, [UInt8](try Data(contentsOf: URL(fileURLWithPath: file))))
            #expect(record.program?.pid == start.pid && record.program?.arguments == fixture.options.command)
            run.discard()
        }
    }
}

/// Whether this user may mount a file system in a namespace of its own.
private let canMount: Bool = {
    (try? run("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"]))?.status == 0
}()
