import Foundation
import TestSupport
import Testing

/// A program that gets a signal, goes on, and is killed together with `reports-run`: so end a container and a service
/// that do not stop in time.
@Suite("Stops that run out of time", .timeLimit(.minutes(2)))
struct StoppedRunTests {
    /// The wrapper sends a signal on after it has noted it.
    private static let story = """
        "$run" --quiet -- sh -c '
            trap "echo >\\"$home/asked\\"" TERM HUP
            echo >"$home/ready"
            while [ ! -e "$home/asked" ]; do :; done
            exec sleep 60 >/dev/null' &
        until [ -e "$home/ready" ]; do kill -0 $! || exit 9; done
        kill -s "$1" $!
        until [ -e "$home/asked" ]; do kill -0 $! || exit 9; done
        kill -KILL $!
        wait $!
        "$run" --quiet -- true
        ls "$home/spool/runs"
        ls "$home/spool/incoming" | grep -c .
        """

    @Test(
        "after SIGTERM it is no crash; after SIGHUP a service has read its settings again, and was not to end",
        arguments: [("TERM", 0), ("HUP", 1)])
    func killed(signal: String, crashCount: Int) async throws {
        try await withRunTool { tool in
            let script = try tool.file("story", Self.story)
            let result = try await tool.start("sh", [script, signal])
            #expect(result.output == "\(crashCount)\n", "\(result.errors)")
        }
    }
}
