import Foundation
import Reports
import TestSupport
import Testing

@Suite("What others may see")
struct PrivacyTests {
    @Test("directories are 0700 and files 0600, whatever the umask", arguments: ["000", "077", "777"])
    func modesWhateverTheUmask(_ umask: String) async throws {
        let script = ServerScript.inTurn(.response(400), .response(503, headers: [("Retry-After", "600")]))
        try await withTool(server: script) { tool, server in
            let endpoint = server.url()
            let result = try await tool.shell(
                """
                umask \(umask)
                for text in one two; do
                    printf $text | "$reports" add - && "$reports" submit --endpoint \(endpoint)
                done
                printf three | "$reports" add - && "$reports" list && "$reports" status && "$reports" doctor
                """)
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            let files = tool.allFiles()
            #expect(files.contains("ledger.sqlite") && files.contains("owner.lock") && files.contains("VERSION"))
            #expect(files.contains { $0.hasPrefix("parked/") } && files.contains { $0.hasPrefix("collected/") })
            for path in [""] + files {
                var facts = stat()
                #expect(lstat(tool.spool + "/" + path, &facts) == 0)
                let isDirectory = facts.st_mode & S_IFMT == S_IFDIR
                #expect(facts.st_mode & 0o7777 == (isDirectory ? 0o700 : 0o600), "\(path)")
            }
        }
    }

    @Test("doctor names what others may read, and mends it")
    func doctorNamesAndMendsModes() async throws {
        try await withTool { tool in
            let id = try await tool.add("private")
            #expect(chmod(tool.spool + "/queued", 0o755) == 0)
            #expect(try await tool.run("retry", id).status == 0)
            #expect(chmod(tool.spool + "/queued/\(id).gz", 0o644) == 0)
            let found = try await tool.run("doctor", "--json")
            #expect(found.status == 65)
            #expect(Set(try found.objects.compactMap { $0["subject"]?.stringValue }) == ["queued", "queued/\(id).gz"])
            let mended = try await tool.run("doctor", "--repair")
            #expect(mended.status == 0 && mended.output == ReportsTool.wellWords)
            #expect(mended.errors.contains("mode set to 600"))
        }
    }

    @Test("a header's value is in no file of the spool and in nothing that is printed")
    func headerValueIsNowhere() async throws {
        let secrets = ["s3cret-in-argv", "s3cret-in-file", "s3cret-in-query"]
        try await withTool(server: .inTurn(.response(401), .response(503), .reset, .response(201))) { tool, server in
            try await tool.add("with credentials")
            let file = try tool.file("headers", "# a comment\nX-Key: \(secrets[1])\r\n\nX-Other: yes\n")
            let url = server.url("/{id}?token=\(secrets[2])")
            var printed = ""
            for _ in 1...4 {
                let result = try await tool.run(
                    "submit", "--endpoint", url, "--header", "Authorization: Bearer \(secrets[0])", "--header",
                    "@" + file)
                printed += result.output + result.errors
                for command in [["list", "--json"], ["status", "--json"], ["status"], ["doctor", "--json"]] {
                    let look = try await tool.run(command)
                    printed += look.output + look.errors
                }
                for report in try await tool.objects("list") {
                    let id = report["id"]?.stringValue ?? ""
                    printed += try await tool.run("show", id, "--json").output
                }
            }
            let request = try #require(server.requests.first)
            #expect(request.headers["Authorization"] == "Bearer \(secrets[0])")
            #expect(request.headers["X-Key"] == secrets[1] && request.headers["X-Other"] == "yes")
            #expect(request.target.hasSuffix(secrets[2]))
            for secret in secrets {
                #expect(!printed.contains(secret))
                for path in tool.allFiles() {
                    let data = FileManager.default.contents(atPath: tool.spool + "/" + path) ?? Data()
                    #expect(data.range(of: Data(secret.utf8)) == nil, "\(path) holds \(secret)")
                }
            }
        }
    }

    @Test("the same header twice is two lines, and User-Agent may be one's own")
    func sameHeaderTwiceIsTwoLines() async throws {
        try await withTool(server: .accepting) { tool, server in
            try await tool.add("x")
            let result = try await tool.submit(
                to: server, "--header", "X-Tag: a", "--header", "X-Tag:b", "--header", "User-Agent: mine")
            #expect(result.status == 0, "\(result.errors)")
            #expect(server.requests.first?.headers.values("X-Tag") == ["a", "b"])
            #expect(server.requests.first?.headers.values("User-Agent") == ["mine"])
        }
    }

    @Test("spool and endpoint come from the environment when no option names them")
    func spoolAndEndpointComeFromTheEnvironment() async throws {
        try await withTool(server: .accepting) { tool, server in
            var tool = tool
            let path = try tool.file("x", "x")
            tool.environment["REPORTS_ENDPOINT"] = server.url("/{id}")
            for (variable, value, place) in [
                ("REPORTS_SPOOL", tool.home + "/one", "/one"), ("XDG_STATE_HOME", tool.home + "/two", "/two/reports"),
                ("XDG_STATE_HOME", "relative", "/.local/state/reports"),
            ] {
                tool.environment["REPORTS_SPOOL"] = nil
                tool.environment[variable] = value
                #expect(try await tool.run("add", path).status == 0)
                #expect(FileManager.default.fileExists(atPath: tool.home + place + "/VERSION"))
                #expect(try await tool.run("submit").status == 0)
            }
            #expect(server.requests.count == 3)
        }
    }
}
