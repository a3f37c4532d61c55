import Background
import HTTPTypes
import SystemPackage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct UploaderIdentityTests {
    private static let url = "http://collector.example/a"

    @Test("Two calls for one transfer share one attempt, and both get its outcome")
    func joins() async throws {
        try await withUploads { uploads in
            let gate = Gate()
            try await withLoopbackServer(.always(.delay(until: gate, then: .response(202)))) { server in
                let uploader = uploads.uploader()
                let file = try uploads.file()
                let request = UploadFixture.request(server.url())
                let first = Task { await uploader.networkResponse(from: request, uploading: file, with: "a") }
                await server.waitForRequests(count: 1)
                let second = Task { await uploader.networkResponse(from: request, uploading: file, with: "a") }
                for _ in 0..<1_000 { await Task.yield() }
                gate.open()
                #expect(await first.value.word == "success")
                #expect(await second.value.word == "success")
                // However late the second call came: it got the outcome once, and sent nothing itself.
                #expect(server.requests.count <= 2)
                await uploader.shutdown()
            }
        }
    }

    @Test("Many calls for one transfer share its tries, and all get its outcome")
    func manyJoin() async throws {
        try await withUploads { uploads in
            let clock = ManualClock()
            let transport = ScriptedTransport(clock: clock) { $0.index == 0 ? .refused : .status(200) }
            let uploader = uploads.uploader(transport, clock)
            let file = try uploads.file()
            let request = UploadFixture.request(Self.url)
            let first = Task { await uploader.networkResponse(from: request, uploading: file, with: "a").word }
            await clock.waitForSleeper()
            await withTaskGroup(of: String.self) { group in
                for _ in 0..<19 {
                    group.addTask { await uploader.networkResponse(from: request, uploading: file, with: "a").word }
                }
                while (try? uploads.record("a"))?.seen != 20 { await Task.yield() }
                // Again and again: a drive that has looked but does not sleep yet would sleep from the new time on.
                while transport.sent.count < 2 {
                    clock.advance(by: 60_000)
                    await Task.yield()
                }
                for await word in group { #expect(word == "success") }
            }
            #expect(await first.value == "success")
            #expect(transport.sent.count == 2)
            await uploader.shutdown()
        }
    }

    @Test("Other content under a live identifier is refused, until the transfer ends or is cancelled")
    func identifierInUse() async throws {
        try await withUploads { uploads in
            let clock = ManualClock()
            let transport = ScriptedTransport(clock: clock) { _ in .refused }
            let uploader = uploads.uploader(transport, clock)
            let request = UploadFixture.request(Self.url)
            let (first, other) = (try uploads.file("f", "first"), try uploads.file("g", "other"))
            let wait = Task { await uploader.networkResponse(from: request, uploading: first, with: "a") }
            await clock.waitForSleeper()
            let response = await uploader.networkResponse(from: request, uploading: other, with: "a")
            #expect(response.failure == .identifierInUse)

            #expect(try await uploader.cancel("a"))
            #expect(await wait.value.failure == .cancelled)
            #expect(try await uploader.cancel("a") == false)
            transport.answer { _ in .status(200) }
            let next = Task { await uploader.networkResponse(from: request, uploading: other, with: "a") }
            clock.advance(by: 60_000)
            #expect(await next.value.word == "success")
            await uploader.shutdown()
        }
    }

    @Test("After its outcome was returned an identifier begins a new transfer")
    func again() async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.inTurn(.response(404), .response(200))) { server in
                let uploader = uploads.uploader()
                let file = try uploads.file()
                let request = UploadFixture.request(server.url())
                for (count, word) in [(1, "rejected"), (2, "success"), (3, "success")] {
                    let response = await uploader.networkResponse(from: request, uploading: file, with: "a")
                    #expect(response.word == word)
                    #expect(server.requests.count == count)
                }
                await uploader.shutdown()
            }
        }
    }

    @Test("A retry that was handed back goes on when it is asked for again, not before the server's time")
    func retries() async throws {
        try await withUploads { uploads in
            let clock = ManualClock()
            let transport = ScriptedTransport(clock: clock) { sent in
                sent.index == 0 ? .status(503, headers: [("Retry-After", "20")]) : .status(200)
            }
            let uploader = uploads.uploader(transport, clock)
            let file = try uploads.file()
            let request = UploadFixture.request(Self.url)
            let first = await uploader.networkResponse(from: request, uploading: file, with: "a")
            #expect(first.word == "retry")
            #expect(first.response?.retryAfterInterval == 20)
            let second = Task { await uploader.networkResponse(from: request, uploading: file, with: "a") }
            guard let wake = await clock.waitForSleeper() else { return }
            clock.advance(by: wake - clock.bootMilliseconds)
            #expect(await second.value.word == "success")
            #expect(transport.sent[1].boot - transport.sent[0].boot >= 20_000)
            await uploader.shutdown()
        }
    }

    @Test("Cancelling the wait leaves the transfer, and its outcome waits for whoever asks")
    func cancelledWait() async throws {
        try await withUploads { uploads in
            let clock = ManualClock()
            let gate = Gate()
            let transport = ScriptedTransport(clock: clock) { _ in
                await gate.wait()
                return .status(200)
            }
            let uploader = uploads.uploader(transport, clock)
            let file = try uploads.file()
            let request = UploadFixture.request(Self.url)
            let run = Task { try await uploader.run() }
            let wait = Task { await uploader.networkResponse(from: request, uploading: file, with: "a") }
            await transport.waitForSent(count: 1)
            wait.cancel()
            #expect(await wait.value.failure == .cancelled)
            // `run` keeps it going without anybody waiting.
            gate.open()
            while try uploads.record("a")?.state != .delivered { await Task.yield() }
            #expect(try uploads.record("a")?.isAcknowledged == false)
            #expect(await uploader.networkResponse(from: request, uploading: file, with: "a").word == "success")
            #expect(transport.sent.count == 1)
            #expect(try uploads.record("a")?.isAcknowledged == true)
            run.cancel()
            try await run.value
            await uploader.shutdown()
        }
    }

    @Test("When the last wait is cancelled the attempt is given back, and the next wait sends it")
    func lastWaitCancelled() async throws {
        try await withUploads { uploads in
            let clock = ManualClock()
            let gate = Gate()
            let transport = ScriptedTransport(clock: clock) { _ in
                await gate.wait()
                return .status(200)
            }
            let uploader = uploads.uploader(transport, clock)
            let file = try uploads.file()
            let request = UploadFixture.request(Self.url)
            let wait = Task { await uploader.networkResponse(from: request, uploading: file, with: "a") }
            await transport.waitForSent(count: 1)
            wait.cancel()
            #expect(await wait.value.failure == .cancelled)
            gate.open()
            #expect(await uploader.networkResponse(from: request, uploading: file, with: "a").word == "success")
            #expect(try uploads.record("a")?.charged == 0)
            await uploader.shutdown()
        }
    }

    @Test("Calls beside a shutdown end as cancelled or done, never with a broken ledger")
    func shutdownRaces() async throws {
        try await withUploads { uploads in
            let clock = ManualClock()
            let transport = ScriptedTransport(clock: clock) { _ in .status(200) }
            let uploader = uploads.uploader(transport, clock)
            let file = try uploads.file()
            await withTaskGroup(of: UploadResponse?.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        guard number % 8 > 0 else {
                            await uploader.shutdown()
                            return nil
                        }
                        return await uploader.networkResponse(
                            from: UploadFixture.request(Self.url), uploading: file, with: "t\(number)")
                    }
                }
                for await response in group {
                    guard let response else { continue }
                    #expect(response.word == "success" || response.failure == .cancelled, "\(response)")
                }
            }
            await uploader.shutdown()
        }
    }

    @Test("Shutting down ends all waits")
    func shutdownEndsWaits() async throws {
        try await withUploads { uploads in
            let clock = ManualClock()
            let transport = ScriptedTransport(clock: clock) { _ in .refused }
            let uploader = uploads.uploader(transport, clock)
            let file = try uploads.file()
            let run = Task { try await uploader.run() }
            let wait = Task {
                await uploader.networkResponse(from: UploadFixture.request(Self.url), uploading: file, with: "a")
            }
            await clock.waitForSleeper()
            await uploader.shutdown()
            let response = await wait.value
            #expect(response.failure == .cancelled, "\(response)")
            try await run.value
            #expect(transport.hasShutDown)
        }
    }
}
