import DurableIO
import Foundation
import TestSupport
import Testing

@Suite("Long sleeps of the machine's clock")
struct LongSleepTests {
    private let clock = LinuxClock()

    @Test("they last as long as they are to, each for itself, whichever was begun first")
    func lengths() async throws {
        let begun = clock.bootMilliseconds
        try await withThrowingTaskGroup(of: Int64.self) { group in
            for length: Int64 in [1_300, 1_000, 1_150] {
                group.addTask {
                    try await clock.sleep(milliseconds: length)
                    return length
                }
            }
            var ended: [Int64] = []
            for try await length in group {
                ended.append(length)
                #expect(clock.bootMilliseconds - begun >= length)
            }
            #expect(ended.count == 3)
        }
    }

    @Test("one that is cancelled ends at once, before it has begun as well")
    func cancelled() async throws {
        let begun = clock.bootMilliseconds
        for isEarly in [true, false] {
            let sleep = Task {
                if isEarly { withUnsafeCurrentTask { $0?.cancel() } }
                try await clock.sleep(milliseconds: 3_600_000)
            }
            if !isEarly { await Task.yield() }
            sleep.cancel()
            await #expect(throws: CancellationError.self) { try await sleep.value }
        }
        #expect(clock.bootMilliseconds - begun < 60_000)
    }

    @Test("thousands that come and go leave the others as they are")
    func many() async throws {
        let last = Task { try await clock.sleep(milliseconds: 1_500) }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<2_000 { group.addTask { try? await clock.sleep(milliseconds: 100_000) } }
            group.cancelAll()
        }
        try await last.value
    }
}
