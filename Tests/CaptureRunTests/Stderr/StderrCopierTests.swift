import DurableIO
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import CaptureRun

@Suite("Copying standard error")
struct StderrCopierTests {
    private struct Pipe {
        var read: Int32
        var write: Int32

        init() throws {
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            // Not for the programs that other tests start meanwhile.
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            (read, write) = (ends[0], ends[1])
        }
    }

    private func copier(to consumer: Pipe, keeping count: Int = 10) throws -> StderrCopier {
        let copier = StderrCopier(to: consumer.write, keptByteCount: count, makingFile: { nil })
        return try #require(copier)
    }

    private func readAll(_ descriptor: Int32) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return all }
            all += buffer[..<count]
        }
    }

    @Test("all is handed on in order and kept, until the program and its children have closed it")
    func ended() throws {
        let consumer = try Pipe()
        let copier = try copier(to: consumer)
        #expect(write(copier.input, "log\nFatal error: x\n", 19) == 19)
        close(copier.input)
        let ending = copier.finish(within: 20_000)
        #expect(ending.outcome == .ended && ending.rest.isEmpty)
        #expect(ending.excerpt.byteCount == 19 && ending.excerpt.tail == Array(" error: x\n".utf8))
        #expect(ending.excerpt.head == Array("Fatal error: x\n".utf8))
        close(consumer.write)
        #expect(readAll(consumer.read) == Array("log\nFatal error: x\n".utf8))
        close(consumer.read)
    }

    @Test("who holds it still is waited for no longer than a moment")
    func held() throws {
        let consumer = try Pipe()
        let copier = try copier(to: consumer)
        let start = ContinuousClock.now
        let ending = copier.finish(within: 20_000)
        #expect(ending.outcome == .held && ending.excerpt == StderrExcerpt() && ending.rest.isEmpty)
        #expect(ContinuousClock.now - start >= .milliseconds(100))
        for descriptor in [copier.input, consumer.read, consumer.write] { close(descriptor) }
    }

    @Test(
        "a consumer that does not read costs the time it is given, and nothing of what is kept or handed on",
        arguments: [0, 1, 4_095, 50_000])
    func stuck(readByteCount: Int) throws {
        let consumer = try Pipe()
        let copier = try copier(to: consumer, keeping: 300_000)
        let text = (0..<120_000).map { UInt8(truncatingIfNeeded: $0 / 3) | 0x80 }
        // More than the consumer's pipe and the copier take together.
        #expect(write(copier.input, text, text.count) == text.count)
        close(copier.input)
        // Then it stops in the middle of a write, wherever that is.
        var taken: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while taken.count < readByteCount {
            let count = read(consumer.read, &buffer, min(buffer.count, readByteCount - taken.count))
            try #require(count > 0)
            taken += buffer[..<count]
        }
        let ending = copier.finish(within: 300)
        #expect(ending.excerpt.byteCount == 120_000 && ending.excerpt.tail == text)
        #expect(ending.outcome == .stuck(isHeld: false))
        close(consumer.write)
        #expect(!ending.rest.isEmpty && taken + readAll(consumer.read) + ending.rest == text)
        close(consumer.read)
    }

    @Test("its pipe holds no more than any other, for all pipes of a user have a bound")
    func pipeSize() throws {
        let consumer = try Pipe()
        let copier = try copier(to: consumer)
        // The module of the C library lacks F_GETPIPE_SZ.
        let sizes = [copier.input, consumer.write].map { fcntl($0, 1_032) }
        #expect(sizes[0] == sizes[1] && sizes[0] > 0)
        close(copier.input)
        #expect(copier.finish(within: 20_000).outcome == .ended)
        for descriptor in [consumer.read, consumer.write] { close(descriptor) }
    }

    @Test("a consumer that is gone closes the pipe, so that the program is told")
    func gone() throws {
        let consumer = try Pipe()
        close(consumer.read)
        let copier = try copier(to: consumer)
        #expect(write(copier.input, "a", 1) == 1)
        var entry = pollfd(fd: copier.input, events: 0, revents: 0)
        #expect(poll(&entry, 1, 20_000) == 1 && entry.revents & Int16(POLLERR) != 0)
        let ending = copier.finish(within: 20_000)
        #expect(ending.outcome == .consumerGone && ending.excerpt.tail == [0x61])
        close(copier.input)
        close(consumer.write)
    }

    @Test("a consumer that takes nothing for a while, and was set not to block, gets all")
    func notBlocking() async throws {
        let consumer = try Pipe()
        _ = fcntl(consumer.write, F_SETFL, O_NONBLOCK)
        let copier = try copier(to: consumer)
        let text = [UInt8](repeating: 0x61, count: 400_000)
        let isWritten = Gate()
        startThread {
            // More than the pipes hold.
            if write(copier.input, text, text.count) == text.count { isWritten.open() }
            close(copier.input)
        }
        var entry = pollfd(fd: consumer.write, events: Int16(POLLOUT), revents: 0)
        // Full: the copier waits.
        while poll(&entry, 1, 0) == 1 { try await Task.sleep(for: .milliseconds(1)) }
        let reader = Mutex<[UInt8]>([])
        let isRead = Gate()
        startThread {
            let all = readAll(consumer.read)
            reader.withLock { $0 = all }
            isRead.open()
        }
        await isWritten.wait()
        #expect(copier.finish(within: 20_000).outcome == .ended)
        close(consumer.write)
        await isRead.wait()
        #expect(reader.withLock { $0 } == text)
        close(consumer.read)
    }

    @Test("who holds a pipe is found by name")
    func holders() async throws {
        let pipe = try Pipe()
        #expect(PipeHolders.names(of: pipe.read) == [])
        _ = fcntl(pipe.write, F_SETFD, 0)
        var pid: pid_t = 0
        var words: [UnsafeMutablePointer<CChar>?] = [strdup("cat"), nil]
        var ends: [Int32] = [0, 0]
        try #require(Glibc.pipe(&ends) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        try #require(posix_spawnp(&pid, "cat", &actions, nil, &words, nil) == 0)
        _ = fcntl(pipe.write, F_SETFD, FD_CLOEXEC)
        #expect(PipeHolders.names(of: pipe.read)?.contains("cat") == true)
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        posix_spawn_file_actions_destroy(&actions)
        free(words[0])
        for end in ends + [pipe.read, pipe.write] { close(end) }
    }
}
