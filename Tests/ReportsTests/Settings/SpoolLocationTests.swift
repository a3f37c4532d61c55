import Foundation
import Glibc
import Reports
import SystemPackage
import TestSupport
import Testing

/// Which spool is meant when none is named.
@Suite("The default spool")
struct SpoolLocationTests {
    private struct Machine {
        let directory: String
        var places = SpoolLocation.Places()

        init(_ directory: String) {
            self.directory = directory
            places.machine = FilePath(directory + "/var/reports")
            places.state = FilePath(directory + "/state")
            places.variable = { _ in nil }
        }

        func makeSpool(_ path: String, hasVersion: Bool = true) throws {
            try FileManager.default.createDirectory(
                atPath: directory + path, withIntermediateDirectories: true)
            if hasVersion { try Data("1\n".utf8).write(to: URL(fileURLWithPath: directory + path + "/VERSION")) }
        }

        /// Without the directory it all lies in.
        var found: String? {
            SpoolLocation(places)?.path.string.replacingOccurrences(of: directory, with: "")
        }
    }

    private func withMachine(_ body: (inout Machine) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            var machine = Machine(directory)
            try body(&machine)
        }
    }

    @Test("the machine's spool is the default of its owner and of root, and of nobody else")
    func owners() throws {
        try withMachine { machine in
            try machine.makeSpool("/var/reports")
            for (user, expected) in [
                (getuid(), "/var/reports"), (0, "/var/reports"), (getuid() + 4_711, "/state/reports"),
            ] {
                machine.places.user = user
                #expect(machine.found == expected, "\(user)")
            }
        }
    }

    @Test("what is no spool is no default: no directory, or one without VERSION")
    func noSpool() throws {
        try withMachine { machine in
            #expect(machine.found == "/state/reports")
            try machine.makeSpool("/var/reports", hasVersion: false)
            #expect(machine.found == "/state/reports")
            try machine.makeSpool("/var/reports")
            #expect(machine.found == "/var/reports")
        }
    }

    @Test("a spool that is named stands instead, by the option over the variable, and tells so")
    func named() throws {
        try withMachine { machine in
            try machine.makeSpool("/var/reports")
            try machine.makeSpool("/state/reports")
            machine.places.variable = { $0 == "REPORTS_SPOOL" ? "/named" : nil }
            let variable = try #require(SpoolLocation(machine.places))
            #expect(variable.path == "/named" && variable.source == .variable("REPORTS_SPOOL"))
            #expect(variable.leftBehind == nil)
            let option = try #require(SpoolLocation(option: "/given", machine.places))
            #expect(option.path == "/given" && option.source == .option("--spool"))
            machine.places.variable = { _ in "" }
            #expect(machine.found == "/var/reports")
        }
    }

    @Test("a spool that was the default before is named beside the machine's, and only then")
    func leftBehind() throws {
        try withMachine { machine in
            try machine.makeSpool("/state/reports")
            #expect(SpoolLocation(machine.places)?.leftBehind == nil)
            try machine.makeSpool("/var/reports")
            #expect(SpoolLocation(machine.places)?.leftBehind?.string == machine.directory + "/state/reports")
            try FileManager.default.removeItem(atPath: machine.directory + "/state")
            #expect(SpoolLocation(machine.places)?.leftBehind == nil)
        }
    }

    @Test("without a home directory there is the machine's spool, or none")
    func noHome() throws {
        try withMachine { machine in
            machine.places.state = nil
            #expect(machine.found == nil)
            try machine.makeSpool("/var/reports")
            #expect(machine.found == "/var/reports")
        }
    }
}
