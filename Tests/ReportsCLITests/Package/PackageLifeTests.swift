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
            let old = try await DebianPackage.shipped.value.tool
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
        let package = try await DebianPackage.shipped.value
        let result = try await runAsynchronously(
            "lintian", ["--allow-root", "--fail-on", "error", package.tool, package.symbols])
        #expect(result.status == 0, "\(result.output)")
    }

    @Test(
        "its reports-run needs no other file: an empty root is enough, with /proc and without",
        .enabled(if: isAsked && findExecutable("gcc") != nil, "needs REPORTS_PACKAGE=1, root and gcc"),
        arguments: ["mount -t proc none \"$root/proc\"", ":"])
    func emptyRoot(preparation: String) async throws {
        try await withTemporaryDirectory { folder in
            let package = try await DebianPackage.shipped.value.tool
            let script = """
                set -e
                root=$1/root; mkdir -p "$root/proc" "$root/spool"
                dpkg-deb --fsys-tarfile "$2" | tar -xC "$root" ./usr/bin/reports-run
                echo 'void abort(void); int main(void) { abort(); }' \
                    | gcc -static -x c - -o "$root/program"
                \(preparation)
                status=0; chroot "$root" /usr/bin/reports-run --spool /spool -- /program || status=$?
                echo $status; ls "$root/spool/incoming" | wc -l
                """
            let result = try await runAsynchronously("unshare", ["-m", "sh", "-c", script, "sh", folder, package])
            #expect(result.output == "134\n1\n" && !result.errors.contains("reports-run"), "\(result.errors)")
        }
    }
}
