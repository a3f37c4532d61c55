import Foundation
import TestSupport
import Testing

/// The long form: `REPORTS_PACKAGE=1`, as root on a Debian-like machine.
@Suite("The life of the Debian package")
struct PackageLifeTests {
    private static var isAsked: Bool {
        ProcessInfo.processInfo.environment["REPORTS_PACKAGE"] == "1" && DebianPackage.isPossible && getuid() == 0
            && findExecutable("systemd-sysusers") != nil
    }

    @Test(
        "undelivered reports survive installing, upgrading, downgrading, removing and purging, and are delivered then",
        .enabled(if: isAsked, "needs REPORTS_PACKAGE=1, root and systemd-sysusers"))
    func life() async throws {
        try await withTool(server: .accepting) { tool, server in
            let old = try await DebianPackage.shared.value.tool
            let new = try await DebianPackage(in: tool.home, version: "99").tool
            let life = try await runAsynchronously(
                ShippedFiles.path("Tests/package-life.sh"), [old, new, server.url("/{id}")])
            #expect(life.status == 0, "\(life.output)\(life.errors)")
            #expect(try await Deliveries.texts(server).sorted() == ["a crash of nobody\n", "a crash of root\n"])
        }
    }

    @Test(
        "lintian finds no error in it",
        .enabled(if: isAsked && findExecutable("lintian") != nil, "needs REPORTS_PACKAGE=1, root and lintian"))
    func lintian() async throws {
        try await withTemporaryDirectory { folder in
            let package = try await DebianPackage(in: folder, compression: "xz")
            let result = try await runAsynchronously(
                "lintian", ["--allow-root", "--fail-on", "error", package.tool, package.symbols])
            #expect(result.status == 0, "\(result.output)")
        }
    }
}
