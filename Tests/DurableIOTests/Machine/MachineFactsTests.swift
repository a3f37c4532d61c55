import Digests
import DurableIO
import Foundation
import SystemPackage
import TestSupport
import Testing

/// What a machine says of itself, read from files that may hold anything.
@Suite("Facts of the machine")
struct MachineFactsTests {
    /// Runs `body` with a machine whose files are in a directory of the test's own.
    private func withMachine(_ body: (_ directory: String, _ facts: MachineFacts) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            var places = MachineFacts.Places()
            places.systemReleases = ["os-release", "usr-os-release"].map { FilePath("\(directory)/\($0)") }
            places.machineIDs = ["machine-id", "dbus-id"].map { FilePath("\(directory)/\($0)") }
            try body(directory, MachineFacts(places))
        }
    }

    private func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private static let id = "00112233445566778899aabbccddeeff"
    private static let salt = Array(UInt8(0)..<16)

    @Test("the host and the kernel are those that uname tells")
    func kernel() throws {
        let facts = MachineFacts()
        let release = try Data(contentsOf: URL(fileURLWithPath: "/proc/sys/kernel/osrelease"))
        #expect(facts.kernel.map { Data("\($0)\n".utf8) } == release)
        let name = try Data(contentsOf: URL(fileURLWithPath: "/proc/sys/kernel/hostname"))
        #expect(facts.host.map { Data("\($0)\n".utf8) } == name)
    }

    @Test(
        "the name of the system is read as a shell reads os-release",
        arguments: [
            ("NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n", "Debian GNU/Linux 12 (bookworm)"),
            ("PRETTY_NAME='Fedora Linux 42'", "Fedora Linux 42"), ("PRETTY_NAME=Alpine\n", "Alpine"),
            ("PRETTY_NAME=\"A \\\"B\\\" \\$5 \\\\\"\n", "A \"B\" $5 \\"), ("PRETTY_NAME=a\nPRETTY_NAME=b\n", "b"),
            ("# PRETTY_NAME=no\nXPRETTY_NAME=no\n", nil), ("PRETTY_NAME=\n", nil), ("PRETTY_NAME=\"  \"\n", nil),
            ("", nil),
            ("PRETTY_NAME=\"a\u{1b}[31mb\"\n", "a\u{fffd}[31mb"), ("PRETTY_NAME=\"a\r\"\r\n", "a\u{fffd}\u{fffd}"),
        ] as [(String, String?)])
    func system(contents: String, expected: String?) throws {
        try withMachine { directory, facts in
            try write(contents, directory + "/os-release")
            #expect(facts.system == expected)
        }
    }

    @Test("a name that is too long is cut to 1 KiB, at a character's end; more than 64 KiB of a file are not read")
    func longNames() throws {
        try withMachine { directory, facts in
            try write("PRETTY_NAME=\"\(String(repeating: "é", count: 2_000))\"\n", directory + "/os-release")
            #expect(facts.system == String(repeating: "é", count: 512))
            try write(String(repeating: "#\n", count: 40_000) + "PRETTY_NAME=x\n", directory + "/os-release")
            #expect(facts.system == nil)
        }
    }

    @Test("the first os-release that exists counts; links are followed; what is no file is passed over")
    func places() throws {
        try withMachine { directory, facts in
            #expect(facts.system == nil)
            try write("PRETTY_NAME=second\n", directory + "/usr-os-release")
            #expect(facts.system == "second")
            // Reading a FIFO would wait for its writer.
            mkfifo(directory + "/os-release", 0o644)
            #expect(facts.system == "second")
            unlink(directory + "/os-release")
            symlink("usr-os-release", directory + "/os-release")
            #expect(facts.system == "second")
            unlink(directory + "/os-release")
            try write("ID=first\n", directory + "/os-release")
            #expect(facts.system == nil)
        }
    }

    @Test("the machine's name is an HMAC of its id, a purpose and the salt, and never the id")
    func identifier() throws {
        try withMachine { directory, facts in
            try write(Self.id + "\n", directory + "/machine-id")
            // HMAC-SHA-256 of "reports/machine_id" and the salt, keyed with the id's 16 bytes, as Python's hmac says.
            #expect(facts.identifier(salt: Self.salt) == "c5f517f09540b105b1dfc509f3d3a920")
            #expect(
                facts.identifier(salt: [UInt8](repeating: 0xff, count: 16)) == "34f3b62983f79c304264161bb8003879")
        }
    }

    @Test(
        "a machine without an id has no name",
        arguments: [
            "", "\n", "uninitialized\n", String(repeating: "0", count: 32), "00112233445566778899aabbccddeef",
            "00112233445566778899aabbccddeeff0", "00112233-4455-6677-8899-aabbccddeeff",
            "x0112233445566778899aabbccddeeff",
        ])
    func noIdentifier(contents: String) throws {
        try withMachine { directory, facts in
            try write(contents, directory + "/machine-id")
            #expect(!facts.hasIdentifier)
            #expect(facts.identifier(salt: Self.salt) == nil)
            // The one that D-Bus keeps stands in.
            try write(Self.id.uppercased(), directory + "/dbus-id")
            #expect(facts.hasIdentifier)
            #expect(facts.identifier(salt: Self.salt) == "c5f517f09540b105b1dfc509f3d3a920")
        }
    }

    @Test("hexadecimal digits become bytes, and nothing else does")
    func digits() {
        #expect([UInt8](hexDigits: Array("00fFa1".utf8)) == [0x00, 0xff, 0xa1])
        #expect([UInt8](hexDigits: []) == [])
        for text in ["0", "0g", "00 ", "é0"] { #expect([UInt8](hexDigits: Array(text.utf8)) == nil) }
    }
}
