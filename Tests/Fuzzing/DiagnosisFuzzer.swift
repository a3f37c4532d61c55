/// What libFuzzer calls with each input: recognises it as a whole payload, as the two sides of a large one, and as what
/// a gzip file holds, and asks for all that is made from the result.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDiagnosis(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    // The first byte chooses the name, of which some formats take the process.
    let names = ["", "core", "shopd-2740-0.0.json", "core.w.0.f00.9.1.zst", "hs_err_pid7.log"]
    let name = Array(names[Int(bytes.first ?? 0) % names.count].utf8)
    let payload = Array(bytes.dropFirst())
    consume(Diagnosis.recognize(PayloadWindow(whole: payload, name: name)) { _, limit in Array(payload.prefix(limit)) })
    let half = payload.count / 2
    let window = PayloadWindow(
        head: payload[..<half], tail: payload[half...], byteCount: payload.count + 4_096, name: name)
    consume(Diagnosis.recognize(window) { _, _ in nil })
    _ = CrashLikeness(head: payload.prefix(CrashLikeness.glimpseByteCount), isWhole: false, name: name) { _, _ in nil }
    return 0
}

private func consume(_ diagnosis: Diagnosis) {
    precondition(!diagnosis.format.isEmpty && !diagnosis.contentType.isEmpty)
    guard let crash = diagnosis.crash else { return }
    _ = (diagnosis.signature, crash.summary(), crash.place)
    precondition(crash.threads.count <= Crash.Bounds.threadCount)
    precondition(crash.threads.reduce(0) { $0 + $1.frames.count } <= Crash.Bounds.totalFrameCount)
    precondition(crash.images.count <= Crash.Bounds.imageCount)
    precondition(crash.earlierCauses.count <= Crash.Bounds.earlierCauseCount)
    precondition(crash.earlierCauses.allSatisfy { $0.frames.count <= Crash.Bounds.frameCount })
    precondition(crash.threads.allSatisfy { $0.registers.count <= Crash.Bounds.registerCount })
    precondition((crash.cause.message?.utf8.count ?? 0) <= Crash.Bounds.messageByteCount)
}
