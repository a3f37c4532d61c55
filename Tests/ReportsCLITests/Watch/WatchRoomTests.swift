import Foundation
import Glibc
import TestSupport
import Testing

/// Directories in `incoming/`, while `watch` runs as the user without rights to whom the spool belongs.
@Suite(
    "reports watch and the directories in incoming/", .enabled(if: OtherUser.isAvailable, "needs root and setpriv"),
    .timeLimit(.minutes(5)))
struct WatchRoomTests {
    /// `watch` starts it, and returns when it has taken drops. `drop` drops a file, and waits until it is taken: then
    /// all that happened before has been noted.
    private static let functions = """
        as="setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all"
        incoming=$REPORTS_SPOOL/incoming
        watch() {
            $as "$reports" watch --endpoint http://127.0.0.1:9 2>"$home/errors" & pid=$!
            for n in $(seq 400); do [ -e "$REPORTS_SPOOL/VERSION" ] && break; sleep 0.05; done
            drop first && drop again
        }
        drop() {
            echo "$1" >"$home/draft" && chown 65534 "$home/draft" && mv "$home/draft" "$incoming/$1"
            for n in $(seq 400); do [ -e "$incoming/$1" ] || return 0; sleep 0.05; done
            echo "$1 is not taken"
        }
        unmount() { for n in $(seq 400); do umount "$incoming/shop" 2>/dev/null && return; sleep 0.05; done; }
        end() { kill $pid; wait $pid; echo "status $?"; }

        """

    /// Runs lines of shell as root, behind the functions.
    /// - Returns: what they print, and what `watch` says of trouble.
    private func shell(_ lines: String, under prefix: String = "") async throws -> String {
        let said = Monitor("")
        try await OtherUser.withTool { tool in
            try tool.file("lines", Self.functions + lines)
            let result = try await tool.shell("exec \(prefix) sh \"$home/lines\"")
            let errors = try String(contentsOfFile: tool.home + "/errors", encoding: .utf8)
            let trouble = errors.split(separator: "\n").filter { $0.contains("2 s instead") }
            said.withLock { $0 = result.output + result.errors + trouble.joined(separator: "\n") }
        }
        return said.value
    }

    @Test("a room that its user may read only some time after it was made is watched from then on")
    func late() async throws {
        let said = try await shell(
            """
            watch
            (umask 077; mkdir "$incoming/late")
            drop second && drop third
            chmod 755 "$incoming/late"; chown 65534 "$incoming/late"
            drop fourth && drop fifth
            drop late/a && drop late/b
            end
            """)
        #expect(said == "status 0\n")
    }

    @Test(
        "a file system that is mounted over a room is watched, and the room again once that is gone",
        .enabled(if: findExecutable("unshare") != nil, "needs unshare"))
    func mounted() async throws {
        let said = try await shell(
            """
            mkdir "$home/zone"; chown 65534 "$home/zone"
            watch
            mkdir "$incoming/shop"; chown 65534 "$incoming/shop"
            drop shop/a && drop second && drop third
            mount -t tmpfs -o mode=755,uid=65534 none "$incoming/shop"
            drop shop/b && drop fourth && drop fifth
            unmount
            drop shop/c && drop sixth && drop seventh
            mount --bind "$home/zone" "$incoming/shop"
            drop shop/d && drop eighth && drop ninth
            unmount
            drop shop/e
            end
            """, under: "unshare -m")
        #expect(said == "status 0\n")
    }

    @Test("no user of a shared spool can make so many directories that it has to look every 2 s")
    func many() async throws {
        let said = try await shell(
            """
            $as "$reports" add --shared /etc/hostname >/dev/null
            cd "$incoming"
            setpriv --reuid=1234 --regid=1234 --clear-groups sh -c '
                seq 600 | xargs mkdir
                seq -f ".run-01234567-89ab-4cde-8f01-%012.0f" 600 | xargs mkdir'
            ls -A | wc -l
            watch
            end
            """)
        #expect(said == "1200\nstatus 0\n")
    }
}
