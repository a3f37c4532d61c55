import Digests
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

@Suite("Hostile drops")
struct NastyDropTests {
    /// Names as bytes, which need not be UTF-8.
    private static let names: [[UInt8]] =
        [
            "name with space.log", "new\nline.log", "tab\there.log", "-rf", "--help.json", "semi;colon&amp.log",
            "$(touch pwned).log", "%2e%2e%2fescape.log", "e\u{301}-nfd.log", "\u{202e}gnp.log", "CON.log",
            "\u{1b}[31mred.log", String(repeating: "a", count: 251) + ".log",
        ].map { Array($0.utf8) } + [Array("caf".utf8) + [0xe9] + Array("-latin1.log".utf8), [0xff, 0xfe, 0x80]]

    private static let payloads: [(name: String, bytes: [UInt8])] = [
        ("ansi.log", Array("\u{1b}[2J\u{1b}]0;owned\u{7}Fatal error: \u{1b}[31mred\u{1b}[0m\r\n".utf8)),
        ("injection.log", Array("Fatal error: a\r\nX-Injected: yes\r\n\r\n".utf8)),
        ("deep.json", Array(String(repeating: "[", count: 100_000).utf8)),
        ("zeros.bin", [UInt8](repeating: 0, count: 10 << 20)),
        ("noise.bin", { (0..<(1 << 20)).map { _ in UInt8.random(in: 0...255) } }()),
        ("damaged.log.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff]),
        ("not-a-core", Array("\u{7f}ELF".utf8) + [2, 1, 1] + [UInt8](repeating: 0xff, count: 57)),
        ("streams.dmp", Array("MDMP".utf8) + [0x93, 0xa7, 0, 0] + [UInt8](repeating: 0xff, count: 24)),
        ("nul.log", Array("ERROR before\0\0\0after\n".utf8)),
    ]

    /// What is never taken, and a word of why.
    private static let skipped = [
        "fifo.log": "FIFO", "link.log": "link", "dangling.log": "link", "loop.log": "link",
        "directory.json": "directory", "mode-000.log": "mode 000", "twin-a.log": "2 links", "twin-b.log": "2 links",
        ".hidden.json": "dot", "half.tmp": "unfinished", "half.partial": "unfinished",
    ]

    @Test("nothing hangs, what can be taken arrives byte for byte, what cannot is named, and no terminal is steered")
    func nothingHangsAndEverythingIsNamedOrDelivered() async throws {
        try await withTool(server: .accepting) { tool, server in
            try makeSkipped(tool)
            var wanted: [[UInt8]] = []
            for (number, name) in Self.names.enumerated() {
                let payload = Array("\u{1b}[8mFatal error: in file \(number)\u{1b}[0m\n".utf8)
                try write(payload, named: name, to: tool)
                wanted.append(payload)
            }
            for payload in Self.payloads {
                try tool.drop(payload.bytes, as: payload.name)
                wanted.append(payload.bytes)
            }
            try await expectNoControlCharacters(tool)
            let summary = try await tool.summary(to: server)
            #expect(summary.count("delivered") == Int64(wanted.count))
            #expect(summary.count("skipped") == Int64(Self.skipped.count))
            #expect(server.protocolErrors.isEmpty)
            for payload in wanted {
                let target = "/" + ContentHash.of(payload).hex
                let request = try #require(server.requests.first { $0.target == target })
                try await Deliveries.check(request, holds: payload)
                #expect(request.headers["X-Injected"] == nil)
            }
            try await expectSkippedAreNamed(tool)
            try await expectNoControlCharacters(tool)
            #expect(tool.names(in: "incoming").count == Self.skipped.count)
            #expect(!FileManager.default.fileExists(atPath: tool.home + "/pwned"))
        }
    }

    private func write(_ payload: [UInt8], named name: [UInt8], to tool: ReportsTool) throws {
        let path = Array("\(tool.spool)/incoming/".utf8) + name + [0]
        let descriptor = path.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { open($0, O_CREAT | O_WRONLY, 0o644) } ?? -1 }
        }
        try #require(descriptor >= 0)
        #expect(payload.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) } == payload.count)
        close(descriptor)
    }

    private func makeSkipped(_ tool: ReportsTool) throws {
        let incoming = tool.spool + "/incoming/"
        for name in ["mode-000.log", "twin-a.log", ".hidden.json", "half.tmp", "half.partial"] {
            try tool.drop("secret", as: name)
        }
        try #require(mkfifo(incoming + "fifo.log", 0o644) == 0)
        try #require(symlink("/etc/passwd", incoming + "link.log") == 0)
        try #require(symlink("nowhere", incoming + "dangling.log") == 0)
        try #require(symlink("loop.log", incoming + "loop.log") == 0)
        try #require(mkdir(incoming + "directory.json", 0o755) == 0)
        try #require(chmod(incoming + "mode-000.log", 0) == 0)
        try #require(link(incoming + "twin-a.log", incoming + "twin-b.log") == 0)
    }

    private func expectSkippedAreNamed(_ tool: ReportsTool) async throws {
        let listed = try await tool.objects("list", "--state", "incoming")
        let doctor = try await tool.run("doctor", "--json")
        #expect(doctor.status == 0)
        let findings = try doctor.objects
        for (name, why) in Self.skipped {
            let report = listed.first { $0["name"]?.stringValue == name }
            #expect(report?["reason"]?.stringValue?.contains(why) == true, "\(name)")
            #expect(report?["id"] == .null)
            let finding = findings.first { $0["subject"]?.stringValue == "incoming/" + name }
            #expect(finding?["message"]?.stringValue?.contains(why) == true, "\(name)")
            #expect(finding?["level"]?.stringValue == "note")
        }
    }

    private func expectNoControlCharacters(_ tool: ReportsTool) async throws {
        for command in [["list"], ["list", "--json"], ["doctor"], ["doctor", "--json"], ["status"]] {
            let result = try await tool.run(command)
            let bad = (result.stdout + result.stderr).filter { $0 < 0x20 && $0 != 0x0a || $0 == 0x7f }
            #expect(bad.isEmpty, "\(command)")
            #expect(!result.output.unicodeScalars.contains { ("\u{80}"..."\u{9f}").contains($0) || $0 == "\u{202e}" })
        }
        for report in try await tool.objects("list") {
            guard let id = report["id"]?.stringValue else { continue }
            let shown = try await tool.run("show", id)
            #expect(!shown.stdout.contains { $0 < 0x20 && $0 != 0x0a || $0 == 0x7f })
        }
    }

    @Test("a name that is no UTF-8 is kept byte for byte")
    func nameThatIsNoTextIsKept() async throws {
        try await withTool { tool in
            try tool.drop("x", as: "y")
            let name: [UInt8] = [0xff, 0xfe, 0x80]
            try write([1], named: name, to: tool)
            let nobody = try RefusingPort()
            _ = try await tool.run("submit", "--endpoint", nobody.url())
            let reports = try await tool.objects("list")
            #expect(reports.contains { $0["name_b64"]?.stringValue == Base64.encode(name) })
        }
    }
}
