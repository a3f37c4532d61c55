import Foundation
import Glibc

/// nginx with TLS, which stores what is PUT to it below `stored/`.
///
/// - Parameters:
///   - identity: its certificate and key.
///   - clients: the authority of the client certificates that it demands, in PEM; `nil` for none.
///   - isolation: the caller's.
///   - body: what to do with it.
/// - Returns: what `body` returns.
/// - Throws: what `body` throws, or why there is no nginx.
package func withNginx<Result>(
    _ identity: TestAuthority.Identity, clients: String? = nil, isolation: isolated (any Actor)? = #isolation,
    _ body: (PeerProcess) async throws -> Result
) async throws -> Result {
    try await PeerProcess.with(
        "nginx", endedBy: SIGTERM,
        setUp: { directory, port in
            try identity.certificate.write(toFile: directory + "/server.pem", atomically: true, encoding: .utf8)
            try identity.key.write(toFile: directory + "/server.key", atomically: true, encoding: .utf8)
            var verification = ""
            if let clients {
                try clients.write(toFile: directory + "/clients.pem", atomically: true, encoding: .utf8)
                verification = "ssl_client_certificate \(directory)/clients.pem; ssl_verify_client on;"
            }
            try FileManager.default.createDirectory(
                atPath: directory + "/stored", withIntermediateDirectories: true)
            let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map { "\($0)_temp_path \(directory)/\($0);" }.joined(separator: " ")
            // As root its workers would give themselves up for a user who may not read our files.
            let user = getuid() == 0 ? "user root;" : ""
            let text = """
                daemon off; \(user) worker_processes 1; pid \(directory)/pid; error_log \(directory)/error.log;
                events {}
                http {
                    access_log off; \(temporary) client_max_body_size 0;
                    server {
                        listen 127.0.0.1:\(port) ssl; \(verification)
                        ssl_certificate \(directory)/server.pem; ssl_certificate_key \(directory)/server.key;
                        location / { root \(directory)/stored; dav_methods PUT; create_full_put_path on; }
                    }
                }
                """
            try text.write(toFile: directory + "/nginx.conf", atomically: true, encoding: .utf8)
            return ["-p", directory, "-e", directory + "/error.log", "-c", directory + "/nginx.conf"]
        }, isolation: isolation, body)
}

/// tinyproxy, an HTTP proxy that forwards plain requests and opens tunnels to any port.
///
/// - Parameters:
///   - credentials: a user and a password that it demands; `nil`, the default, lets everybody through.
///   - isolation: the caller's.
///   - body: what to do with it. What it did is in `log` of its directory.
/// - Returns: what `body` returns.
/// - Throws: what `body` throws, or why there is no tinyproxy.
package func withHTTPProxy<Result>(
    credentials: (user: String, password: String)? = nil, isolation: isolated (any Actor)? = #isolation,
    _ body: (PeerProcess) async throws -> Result
) async throws -> Result {
    try await PeerProcess.with(
        "tinyproxy", endedBy: SIGKILL,
        setUp: { directory, port in
            let demand = credentials.map { "BasicAuth \($0.user) \($0.password)\n" } ?? ""
            let text = """
                Port \(port)
                Listen 127.0.0.1
                Timeout 600
                LogFile "\(directory)/log"
                LogLevel Connect
                MaxClients 100
                Allow 127.0.0.1
                \(demand)
                """
            try text.write(toFile: directory + "/tinyproxy.conf", atomically: true, encoding: .utf8)
            return ["-d", "-c", directory + "/tinyproxy.conf"]
        }, isolation: isolation, body)
}

/// microsocks, a SOCKS5 proxy.
///
/// - Parameters:
///   - credentials: a user and a password that it demands; `nil`, the default, lets everybody through.
///   - isolation: the caller's.
///   - body: what to do with it. What it did is in `output` of its directory.
/// - Returns: what `body` returns.
/// - Throws: what `body` throws, or why there is no microsocks.
package func withSOCKSProxy<Result>(
    credentials: (user: String, password: String)? = nil, isolation: isolated (any Actor)? = #isolation,
    _ body: (PeerProcess) async throws -> Result
) async throws -> Result {
    try await PeerProcess.with(
        "microsocks", endedBy: SIGKILL,
        setUp: { _, port in
            let demand = credentials.map { ["-u", $0.user, "-P", $0.password] } ?? []
            return ["-i", "127.0.0.1", "-p", "\(port)"] + demand
        }, isolation: isolation, body)
}
