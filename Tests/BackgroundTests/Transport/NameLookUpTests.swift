#if compiler(>=6.2)
import Background
import DurableIO
import Glibc
import HTTPTypes
import TestSupport
import Testing

/// Names whose look-up takes as long as the test likes: in this program `getaddrinfo` is this one.
private let slowSuffix = ".slow.test"
private let areAnswered = Monitor(false)

@_cdecl("getaddrinfo")
func slowGetaddrinfo(
    _ node: UnsafePointer<CChar>?, _ service: UnsafePointer<CChar>?, _ hints: UnsafePointer<addrinfo>?,
    _ result: UnsafeMutablePointer<UnsafeMutablePointer<addrinfo>?>?
) -> Int32 {
    if let node, String(cString: node).hasSuffix(slowSuffix) {
        areAnswered.block { $0 }
        return EAI_AGAIN
    }
    typealias Real =
        @convention(c) (
            UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<addrinfo>?,
            UnsafeMutablePointer<UnsafeMutablePointer<addrinfo>?>?
        ) -> Int32
    guard let symbol = dlsym(UnsafeMutableRawPointer(bitPattern: -1), "getaddrinfo") else { return EAI_SYSTEM }
    return unsafeBitCast(symbol, to: Real.self)(node, service, hints, result)
}

/// A look-up that outlasts its transport, in a process that lives on.
@Suite("Names that are not resolved in time", .timeLimit(.minutes(2)))
struct NameLookUpTests {
    @Test("keep neither a shutdown nor the process, and nothing is printed when they come back at last")
    func lateLookUp() async throws {
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardErrorContent, \.standardOutputContent]
        ) {
            try await withTransport { fixture in
                let failure = await fixture.send("http://name\(slowSuffix)/").failure
                let words = "no connection to name\(slowSuffix):80 within 1 s"
                precondition(failure?.description.hasPrefix(words) == true, "\(String(describing: failure))")
                let begun = ContinuousClock.now
                await fixture.transport.shutdown()
                precondition(ContinuousClock.now - begun < .seconds(1), "the shutdown waited for the name")
                // The loop is there for the answer that is still to come, and ends with it.
                precondition(loopCount() == 1, "\(loopCount()) loops")
                areAnswered.withLock { $0 = true }
                while loopCount() > 0 { usleep(1_000) }
            }
        }
        let printed = [result?.standardErrorContent, result?.standardOutputContent].compactMap { $0 }.joined()
        #expect(!String(decoding: printed, as: UTF8.self).contains("EventLoop"))
    }
}
#endif
