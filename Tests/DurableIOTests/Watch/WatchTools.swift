import DurableIO
import Foundation
import Glibc
import TestSupport

/// What Foundation has no call for.
struct WatchToolError: Error {
    let call: String
    let errno: Int32

    init(_ call: String) { (self.call, errno) = (call, Glibc.errno) }
}

/// Makes a file without a name, writes it, and gives it its name.
func unnamedFile(in directory: String, then name: String) throws {
    // O_TMPFILE of x86 and arm.
    let file = open(directory, 0o20_000_000 | O_DIRECTORY | O_WRONLY | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw WatchToolError("open") }
    defer { close(file) }
    guard write(file, "x", 1) == 1 else { throw WatchToolError("write") }
    let status = linkat(AT_FDCWD, "/proc/self/fd/\(file)", AT_FDCWD, "\(directory)/\(name)", AT_SYMLINK_FOLLOW)
    guard status == 0 else { throw WatchToolError("linkat") }
}

/// Exchanges the names of two files in one step.
func exchange(_ first: String, _ second: String) throws {
    typealias Call = @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
    // Swift's module of libc does not show it.
    guard let symbol = dlsym(nil, "renameat2") else { throw WatchToolError("dlsym") }
    let call = unsafeBitCast(symbol, to: Call.self)
    // RENAME_EXCHANGE.
    guard call(AT_FDCWD, first, AT_FDCWD, second, 2) == 0 else { throw WatchToolError("renameat2") }
}

/// A file that is written through memory.
final class Mapping {
    private let address: UnsafeMutableRawPointer
    private static let byteCount = 4_096

    init(_ path: String) throws {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw WatchToolError("open") }
        // The mapping outlives the descriptor.
        defer { close(file) }
        guard ftruncate(file, off_t(Self.byteCount)) == 0,
            let address = mmap(nil, Self.byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), address != MAP_FAILED
        else { throw WatchToolError("mmap") }
        self.address = address
        address.storeBytes(of: 0x78, as: UInt8.self)
    }

    func end() { munmap(address, Self.byteCount) }
}

func mapNewFile(_ path: String) throws -> Mapping { try Mapping(path) }

/// A process that has a file open for writing.
final class HeldFile {
    private let process = Process()

    init(_ path: String) throws {
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "exec >'\(path)'; echo held >&2; read line"]
        let (input, errors) = (Pipe(), Pipe())
        (process.standardInput, process.standardError) = (input, errors)
        try start(process)
        _ = errors.fileHandleForReading.availableData
    }

    func killAtOnce() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}

/// A limit of inotify.
func kernelLimit(_ name: String) throws -> Int {
    let text = try String(contentsOfFile: "/proc/sys/fs/inotify/\(name)", encoding: .utf8)
    return Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
}

/// How many instances of inotify this process has open.
func inotifyCount() throws -> Int {
    let folder = "/proc/self/fd"
    return try FileManager.default.contentsOfDirectory(atPath: folder).count { name in
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)"))?.contains("inotify") == true
    }
}

/// What stands in for the kernel's alarm, and what makes it ring.
func alarmPipe() throws -> (SharedDescriptor, ring: @Sendable () -> Void) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw WatchToolError("pipe") }
    let bell = SharedDescriptor(OwnedDescriptor(adopting: ends[1], path: "pipe"))
    return (
        SharedDescriptor(OwnedDescriptor(adopting: ends[0], path: "pipe")), { _ = write(bell.file.raw, "x", 1) }
    )
}
