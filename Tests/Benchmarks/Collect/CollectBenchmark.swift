import Glibc
import Reports

/// Measures `Reporter.collect` from inside a program, one report at a time, beside the bare system calls that make the
/// same bytes as durable. Prints one line of JSON with the nanoseconds of each call.
///
/// The two take turns, so that both meet the same disk.
@main
struct CollectBenchmark {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let count = Int(arguments[2]), let size = Int(arguments[3]) else {
            print("usage: CollectBenchmark DIRECTORY COUNT SIZE")
            exit(64)  // EX_USAGE
        }
        // Where a server's handlers run; from the main actor each call would cost two changes of thread on top.
        let times = try await Task.detached { try await measure(arguments[1], count, size) }.value
        print("{\"collect_ns\": \(times.collect), \"bare_ns\": \(times.bare)}")
    }

    private static func measure(
        _ directory: String, _ count: Int, _ size: Int
    ) async throws -> (collect: [UInt64], bare: [UInt64]) {
        let reporter = try Reporter(spool: .init(directory + "/spool"))
        let bare = try BareStore(directory: directory + "/bare")
        var payloads = Payloads(byteCount: size)
        var collectTimes: [UInt64] = []
        var bareTimes: [UInt64] = []
        // The first ones pay for what is loaded once.
        for number in -20..<count {
            let payload = payloads.next()
            let start = now()
            try await reporter.collect(payload)
            let middle = now()
            try bare.store(payload, number: number + 20)
            let end = now()
            guard number >= 0 else { continue }
            collectTimes.append(middle - start)
            bareTimes.append(end - middle)
        }
        return (collectTimes, bareTimes)
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// JSON texts of one size, each unlike the others.
private struct Payloads {
    private let byteCount: Int
    private var generator = SystemRandomNumberGenerator()

    init(byteCount: Int) {
        self.byteCount = byteCount
    }

    mutating func next() -> [UInt8] {
        var text = "{\"incident\": \"\(String(generator.next(), radix: 16))\", \"frames\": ["
        while text.utf8.count < byteCount - 120 {
            let address = String(generator.next() >> 16, radix: 16)
            text += "{\"address\": \"0x\(address)\", \"symbol\": \"handle_request\", \"image\": \"libshop.so.2\"}, "
        }
        text += "{}]}"
        return Array(text.utf8) + [UInt8](repeating: UInt8(ascii: " "), count: max(0, byteCount - text.utf8.count))
    }
}

/// What durability costs at least: write, fsync, rename, and an fsync of the directory.
private struct BareStore {
    private let directory: Int32

    struct Failure: Error {
        let call: String
        let code: Int32
    }

    init(directory path: String) throws {
        guard mkdir(path, 0o700) == 0 else { throw Failure(call: "mkdir", code: errno) }
        directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw Failure(call: "open", code: errno) }
    }

    func store(_ bytes: [UInt8], number: Int) throws {
        let (temporary, name) = ("\(number).tmp", "\(number)")
        let file = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure(call: "openat", code: errno) }
        let written = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        guard written == bytes.count else { throw Failure(call: "write", code: errno) }
        guard fsync(file) == 0 else { throw Failure(call: "fsync", code: errno) }
        close(file)
        guard renameat(directory, temporary, directory, name) == 0 else { throw Failure(call: "renameat", code: errno) }
        guard fsync(directory) == 0 else { throw Failure(call: "fsync of the directory", code: errno) }
    }
}
