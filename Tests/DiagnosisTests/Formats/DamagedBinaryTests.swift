import Diagnosis
import Testing

/// Damages dumps of all binary formats in a way that is the same in each run.
@Suite("Damaged dumps")
struct DamagedBinaryTests {
    /// A generator of numbers that are the same in each run (SplitMix64).
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state &+= 0x9e37_79b9_7f4a_7c15
            var value = self.state
            value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
            value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
            return value ^ (value >> 31)
        }
    }

    private static let sources: [(name: String, bytes: [UInt8])] = {
        var core = CoreForTests()
        core.addThread(77, signal: 11, registers: [16: 0x40_1010, 4: 0x7ffe_0000_0000, 19: 0x7ffe_0000_0000])
        core.addProcess("tilld", number: 77)
        core.addSignal(11, code: 1, value: 0x18)
        core.addProgram("/srv/till/bin/tilld", at: 0x40_0000)
        core.segments.append(
            CoreForTests.Segment(start: 0x7ffe_0000_0000, byteCount: 64, content: [UInt8](repeating: 0x40, count: 64)))
        var dump = MinidumpForTests()
        dump.addException(11, flags: 1, address: 0x18, thread: 4_131, instruction: 0x40_0abc)
        dump.addThreads([(4_130, 0x1000), (4_131, 0x2000)])
        dump.addModules([MinidumpForTests.Module(path: "/opt/till/tilld", base: 0x40_0000, record: [1, 2, 3, 4, 5])])
        dump.addSystem(platform: 0x8201, text: "Linux 6.1.0")
        let report = ProtobufWriter { report in
            report.message(3) { $0.message(2) { $0.number(3, 0x1000) } }
            report.message(6) { $0.text(1, "SIGSEGV") }
        }
        let magics = [Array("KDUMP   \u{6}\0\0\0".utf8), Array("PAGEDU64\u{f}\0\0\0".utf8), [0xcf, 0xfa, 0xed, 0xfe]]
        return [
            ("core", core.bytes), ("minidump", dump.bytes), ("plcrash", Array("plcrash\u{1}".utf8) + report.bytes),
            ("vmcore", magics[0] + [UInt8](repeating: 1, count: 5_000)),
            ("windows", magics[1] + [UInt8](repeating: 1, count: 5_000)),
            ("macho", magics[2] + [UInt8](repeating: 4, count: 500)),
        ]
    }()

    @Test("wrong numbers anywhere harm nothing", arguments: sources.map(\.name))
    func wrongNumbers(name: String) throws {
        let original = try #require(Self.sources.first { $0.name == name }).bytes
        var generator = Generator(state: UInt64(original.count))
        for _ in 0..<400 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...10, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                let value: UInt8 =
                    [0, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &generator)]
                    .randomElement(using: &generator) ?? 0
                for index in index..<min(bytes.count, index + Int.random(in: 1...8, using: &generator)) {
                    bytes[index] = value
                }
            }
            let diagnosis = recognize(bytes)
            #expect(!diagnosis.format.isEmpty)
            #expect(diagnosis.crash?.threads.count(where: \.isCrashed) ?? 0 <= 1)
        }
    }
}
