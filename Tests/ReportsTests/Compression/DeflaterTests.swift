import Reports
import Testing

@Suite("Deflater")
struct DeflaterTests {
    @Test("Every level gives back what it was given", arguments: [CompressionLevel.stored, .fast, .balanced])
    func roundTrip(level: CompressionLevel) throws {
        for size in [0, 1, 2, 4_095, 4_096, 4_097, 32_768, 65_535, 65_536, 131_072, 300_001] {
            for payload in [SamplePayload.text(size), SamplePayload.random(size), SamplePayload.zeros(size)] {
                #expect(try inflated(deflated([(level, payload)]), .raw) == payload)
            }
        }
    }

    @Test("The level changes between any two runs", arguments: [1, 7, 4_096, 131_072])
    func levelSwitches(windowByteCount: Int) throws {
        let levels: [CompressionLevel] = [.stored, .fast, .balanced]
        for size in [0, 1, 5, 70_000] {
            var runs: [(CompressionLevel, [UInt8])] = []
            for from in levels {
                for to in levels {
                    runs.append((from, SamplePayload.text(size, seed: UInt64(runs.count))))
                    runs.append((to, SamplePayload.random(size, seed: UInt64(runs.count))))
                }
            }
            let output = try deflated(runs, windowByteCount: windowByteCount)
            #expect(try inflated(output, .raw) == runs.flatMap(\.1))
        }
    }

    @Test func matchesReachBackAcrossLevels() throws {
        let page = SamplePayload.random(8_192)
        let output = try deflated([(.stored, page), (.balanced, page), (.stored, page), (.fast, page)])
        #expect(try inflated(output, .raw) == page + page + page + page)
        #expect(output.count < 2 * page.count + 1_024)
    }

    @Test func nothingBecomesTwoBytes() throws {
        var output: [UInt8] = []
        var deflater = try Deflater(level: .balanced)
        try deflater.write(UnsafeRawBufferPointer(start: nil, count: 0)) { output.append(contentsOf: $0) }
        try deflater.finish { output.append(contentsOf: $0) }
        #expect(output == [3, 0])
    }

    @Test func piecesFitTheWindow() throws {
        let payload = SamplePayload.random(100_000)
        var largest = 0
        var deflater = try Deflater(level: .fast, windowByteCount: 1_000)
        try payload.withUnsafeBytes { bytes in try deflater.write(bytes) { largest = max(largest, $0.count) } }
        try deflater.finish { largest = max(largest, $0.count) }
        #expect(largest == 1_000)
    }

    @Test func aResetStreamForgetsTheOldOne() throws {
        let payload = SamplePayload.text(50_000)
        var output: [UInt8] = []
        var deflater = try Deflater(level: .balanced)
        try SamplePayload.random(200_000).withUnsafeBytes { bytes in try deflater.write(bytes) { _ in } }
        deflater.reset()
        try payload.withUnsafeBytes { bytes in try deflater.write(bytes) { output.append(contentsOf: $0) } }
        try deflater.finish { output.append(contentsOf: $0) }
        #expect(try output == deflated([(.balanced, payload)]))
    }

    @Test func aWriteAfterTheFinishIsMisuse() throws {
        var deflater = try Deflater(level: .balanced)
        try deflater.finish { _ in }
        let code = zlibCode {
            try [1, 2, 3].withUnsafeBytes { bytes in try deflater.write(bytes) { _ in } }
        }
        #expect(code == .misuse)
    }

    @Test func theOutputsErrorComesThrough() throws {
        struct Full: Error {}
        var deflater = try Deflater(level: .stored, windowByteCount: 16)
        do throws(CompressionFailure<Full>) {
            try deflater.finish { _ throws(Full) in throw Full() }
            Issue.record("no error")
        } catch {
            guard case .output = error else {
                Issue.record("\(error)")
                return
            }
        }
    }
}
