import Diagnosis
import Foundation
import Reports
import TestSupport
import Testing

@Suite(
    "The Debian package", .enabled(if: DebianPackage.isPossible, "needs dpkg-deb, dpkg-shlibdeps, strip and readelf"))
struct PackageTests {
    @Test("made twice of one executable, it has the same bytes")
    func reproducible() async throws {
        let first = try await DebianPackage.shared.value
        try await withTemporaryDirectory { folder in
            let second = try await DebianPackage(in: folder)
            for (one, other) in [(first.tool, second.tool), (first.symbols, second.symbols)] {
                #expect(one.split(separator: "/").last == other.split(separator: "/").last)
                #expect(FileManager.default.contentsEqual(atPath: one, andPath: other), "\(one)")
            }
        }
    }

    @Test("it brings the tool, settings, units, pages and completions, all of them root's and with their modes")
    func contents() async throws {
        let entries = try await DebianPackage.entries(of: DebianPackage.shared.value.tool)
        let modes = Dictionary(entries.map { ($0.path, String($0.permissions)) }) { first, _ in first }
        let data = "-rw-r--r--"
        var expected = [
            "/usr/bin/reports": "-rwxr-xr-x", "/usr/bin/reports-run": "-rwxr-xr-x",
            "/usr/share/doc/reports/examples/reports-run.conf": data, "/etc/reports/reports.json": "-rw-r-----",
            "/usr/lib/sysusers.d/reports.conf": data, "/usr/lib/tmpfiles.d/reports.conf": data,
            "/usr/share/bash-completion/completions/reports": data,
            "/usr/share/zsh/vendor-completions/_reports": data,
            "/usr/share/fish/vendor_completions.d/reports.fish": data,
            "/usr/share/man/man1/reports.1.gz": data, "/usr/share/man/man5/reports.json.5.gz": data,
            "/usr/share/doc/reports/copyright": data, "/usr/share/doc/reports/changelog.gz": data,
            "/usr/share/doc/reports/NOTICE.gz": data,
        ]
        for unit in try ShippedFiles.names(in: "Examples/systemd") where !unit.hasSuffix(".conf") {
            expected["/lib/systemd/system/\(unit)"] = data
        }
        for (path, mode) in expected { #expect(modes[path] == mode, "\(path)") }
        for entry in entries {
            #expect(entry.owner == "root/root", "\(entry.path)")
            let isAllowed = ["drwxr-xr-x", "-rw-r--r--"].contains(entry.permissions) || expected[entry.path] != nil
            #expect(isAllowed, "\(entry.permissions) \(entry.path)")
            // Nothing is enabled, and nothing lies where only the administrator puts files.
            #expect(!entry.path.hasPrefix("/etc/systemd") && !entry.path.hasPrefix("/usr/local"))
        }
    }

    @Test("its fields name version, machine and libraries, and its settings are the administrator's to change")
    func fields() async throws {
        let package = try await DebianPackage.shared.value.tool
        #expect(try await DebianPackage.field("Package", of: package) == "reports")
        #expect(try await DebianPackage.field("Version", of: package) == ReportsVersion.current)
        let architecture = try await runAsynchronously("dpkg", ["--print-architecture"]).output
        #expect(try await DebianPackage.field("Architecture", of: package) + "\n" == architecture)
        let depends = try await DebianPackage.field("Depends", of: package)
        for name in ["libc6 (>= ", "libsqlite3-0 (>= ", "systemd | "] { #expect(depends.contains(name), "\(depends)") }
        #expect(try await Int(DebianPackage.field("Installed-Size", of: package)).map { $0 > 1_000 } == true)
        let conffiles = try await runAsynchronously("dpkg-deb", ["--info", package, "conffiles"])
        #expect(conffiles.output == "/etc/reports/reports.json\n")
    }

    @Test("its checksums are right, and its files unpack to what they are made of")
    func files() async throws {
        let package = try await DebianPackage.shared.value.tool
        try await withTool { tool in
            let root = tool.home + "/root"
            #expect(try await runAsynchronously("dpkg-deb", ["--raw-extract", package, root]).status == 0)
            let check = try await tool.shell("cd '\(root)' && md5sum --check --quiet DEBIAN/md5sums")
            #expect(check.status == 0, "\(check.output)\(check.errors)")
            let sums = try String(contentsOfFile: root + "/DEBIAN/md5sums", encoding: .utf8)
            #expect(sums.contains("  usr/bin/reports\n") && !sums.contains("  etc/"))
            for page in try ShippedFiles.names(in: "Examples/man") {
                let section = page.suffix(1)
                let shown = try await runAsynchronously(
                    "gzip", ["-dc", "\(root)/usr/share/man/man\(section)/\(page).gz"])
                #expect(try shown.output == ShippedFiles.text("Examples/man/\(page)"), "\(page)")
            }
            for script in ["postinst", "prerm", "postrm"] {
                let path = "\(root)/DEBIAN/\(script)"
                #expect(FileManager.default.isExecutableFile(atPath: path))
                #expect(try await runAsynchronously("sh", ["-n", path]).status == 0, "\(script)")
                #expect(try await runAsynchronously(path, ["no-such-step"]).status == 1, "\(script)")
            }
            for unit in try ShippedFiles.names(in: "Examples/systemd") where unit.hasSuffix(".service") {
                let text = try String(contentsOfFile: "\(root)/lib/systemd/system/\(unit)", encoding: .utf8)
                #expect(text.contains("\nExecStart=/usr/bin/reports "), "\(unit)")
            }
            // As it is shipped it sets nothing, and nothing is wrong with it.
            try await tool.add("makes the spool")
            var configured = tool
            configured.environment["REPORTS_CONFIG"] = root + "/etc/reports/reports.json"
            let status = try await configured.run("status")
            #expect(status.status == 0 && status.stderr.isEmpty, "\(status.errors)")
            #expect(try await configured.run("submit").status == 78)
        }
    }

    @Test("the tool in it is stripped, and its symbols are in the other package under its identity")
    func symbols() async throws {
        let package = try await DebianPackage.shared.value
        try await withTool { tool in
            let root = tool.home + "/root"
            for one in [package.tool, package.symbols] {
                #expect(try await runAsynchronously("dpkg-deb", ["--extract", one, root]).status == 0)
            }
            func sections(_ path: String) async throws -> String {
                try await runAsynchronously("readelf", ["--sections", "--wide", path]).output
            }
            let program = root + "/usr/bin/reports"
            let notes = try await runAsynchronously("readelf", ["--notes", program]).output
            let line = try #require(notes.split(separator: "\n").first { $0.contains("Build ID: ") })
            let identity = try #require(line.split(separator: " ").last)
            #expect(try await !sections(program).contains(".debug_info"))
            #expect(try await !sections(program).contains(".symtab"))
            let found = "\(root)/usr/lib/debug/.build-id/\(identity.prefix(2))/\(identity.dropFirst(2)).debug"
            #expect(try await sections(found).contains(".debug_info"))
            #expect(try await runAsynchronously(program, ["--version"]).output == ReportsVersion.current + "\n")
        }
    }

    @Test("a library that the tool needs and that no package brings is named in a warning")
    func foreignLibraries() async throws {
        let dynamic = try await runAsynchronously("readelf", ["--dynamic", "--wide", ReportsTool.path]).output
        let names = dynamic.split(separator: "\n").filter { $0.contains("(NEEDED)") && $0.hasSuffix(".so]") }
            .compactMap { $0.split(separator: "[").last?.dropLast() }
        let warnings = try await DebianPackage.shared.value.warnings
        for name in names { #expect(warnings.contains(name), "\(name)") }
        #expect(names.isEmpty == warnings.isEmpty, "\(warnings)")
    }

    @Test("its copyright names every package that is linked in, and no other")
    func licences() throws {
        // What the manifest needs for tests, examples and documentation, and what has nothing for Linux.
        let notLinked: Set = [
            "hummingbird", "swift-asn1", "swift-async-algorithms", "swift-certificates", "swift-docc-plugin",
            "swift-docc-symbolkit", "swift-metrics", "swift-nio-transport-services", "swift-service-lifecycle",
        ]
        let resolved = try JSONValue.parse(Array(ShippedFiles.text("Package.resolved").utf8))
        let pins = try #require(resolved["pins"]?.arrayValue).compactMap { $0["identity"]?.stringValue }
        let copyright = try ShippedFiles.text("Examples/debian/copyright").split(separator: "\n")
        let named = Set(pins.filter { copyright.contains("Files: \($0)/*") })
        #expect(named == Set(pins).subtracting(notLinked))
    }

    @Test("the script names the command that it lacks", arguments: ["dpkg-deb", "dpkg-shlibdeps", "strip"])
    func missingCommand(_ missing: String) async throws {
        try await withTemporaryDirectory { folder in
            let needed = ["dpkg-deb", "dpkg-shlibdeps", "strip", "objcopy", "readelf", "gzip"]
            for name in ["dirname", "mktemp", "realpath", "rm"] + needed where name != missing {
                let path = try #require(findExecutable(name))
                try FileManager.default.createSymbolicLink(atPath: "\(folder)/\(name)", withDestinationPath: path)
            }
            var environment = DebianPackage.environment
            environment["PATH"] = folder
            let result = try await runAsynchronously(DebianPackage.script, [folder], environment: environment)
            #expect(result.status == 1)
            #expect(result.errors.hasPrefix("make-package: \(missing) is missing: install the package "))
        }
    }
}
