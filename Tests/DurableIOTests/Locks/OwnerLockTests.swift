import DurableIO
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Owner lock")
struct OwnerLockTests {
    private let files = POSIXFileSystem()

    private func lock(_ path: String) throws -> OwnerLock {
        try OwnerLock("owner.lock", in: files.openDirectory(FilePath(path)))
    }

    private func isHeld(_ path: String) throws -> Bool {
        OwnerLock.isHeld("owner.lock", in: try files.openDirectory(FilePath(path)))
    }

    @Test("two handles never hold it at once, in one process either")
    func exclusive() throws {
        try withTemporaryDirectory { path in
            let (first, second) = (try lock(path), try lock(path))
            #expect(try first.tryLock())
            #expect(try !second.tryLock())
            first.unlock()
            #expect(try second.tryLock())
            #expect(try !first.tryLock())
        }
    }

    @Test("an abandoned handle frees it")
    func abandoned() throws {
        try withTemporaryDirectory { path in
            do {
                let first = try lock(path)
                #expect(try first.tryLock())
            }
            #expect(try lock(path).tryLock())
        }
    }

    @Test("asking takes nothing, and works without a lock file")
    func asking() throws {
        try withTemporaryDirectory { path in
            #expect(try !isHeld(path))
            let owner = try lock(path)
            #expect(try !isHeld(path))
            #expect(try owner.tryLock())
            for _ in 0..<3 { #expect(try isHeld(path)) }
            owner.unlock()
            #expect(try !isHeld(path))
            #expect(try owner.tryLock())
        }
    }

    @Test("a lock file replaced or removed is noticed", arguments: [false, true])
    func replaced(isRemovedOnly: Bool) throws {
        try withTemporaryDirectory { path in
            let file = URL(fileURLWithPath: path + "/owner.lock")
            let (owner, waiting) = (try lock(path), try lock(path))
            #expect(try owner.tryLock())
            #expect(owner.isCurrent)
            try FileManager.default.removeItem(at: file)
            if !isRemovedOnly { try Data().write(to: file) }
            #expect(!owner.isCurrent)
            // Whoever had the old file open must not become the second owner.
            owner.unlock()
            #expect(try !waiting.tryLock())
            #expect(try lock(path).tryLock())
        }
    }

    @Test("its file is private whatever the umask")
    func mode() throws {
        try withTemporaryDirectory { path in
            let isCurrent = try withUmask(0o777) { try lock(path).isCurrent }
            #expect(isCurrent != false)
            #expect(try permissions(path + "/owner.lock") == 0o600)
        }
    }

    @Test("a symbolic link is no lock file")
    func link() throws {
        try withTemporaryDirectory { path in
            try FileManager.default.createSymbolicLink(
                atPath: path + "/owner.lock", withDestinationPath: path + "/elsewhere")
            let error = #expect(throws: FileSystemError.self) { try lock(path) }
            #expect(error?.errno == .tooManySymbolicLinkLevels)
            #expect(!FileManager.default.fileExists(atPath: path + "/elsewhere"))
        }
    }

    // MARK: - Who holds it

    private func holder(_ path: String, _ clock: any SystemClock = LinuxClock()) throws -> LockHolder? {
        OwnerLock.holder("owner.lock", in: try files.openDirectory(FilePath(path)), clock: clock)
    }

    @Test("its 64 bytes are there before it is taken, and stay the same 64")
    func room() throws {
        try withTemporaryDirectory { path in
            let owner = try lock(path)
            let size = { try Data(contentsOf: URL(fileURLWithPath: path + "/owner.lock")).count }
            #expect(try size() == 64)
            #expect(try owner.tryLock())
            owner.sign(LinuxClock())
            #expect(try size() == 64)
            owner.unlock()
            #expect(try size() == 64)
        }
    }

    @Test("the holder is named while it holds the lock, and not afterwards")
    func named() throws {
        try withTemporaryDirectory { path in
            let (owner, clock) = (try lock(path), ManualClock())
            #expect(try holder(path, clock) == nil)
            #expect(try owner.tryLock())
            #expect(try holder(path, clock) == nil)
            owner.sign(clock)
            let found = try #require(try holder(path, clock))
            #expect(found.processID == getpid())
            #expect(found.sinceMilliseconds == clock.wallMilliseconds)
            owner.unlock()
            #expect(try holder(path, clock) == nil)
            // Not signed: the earlier holder's word must not be taken for this one's.
            #expect(try owner.tryLock())
            #expect(try holder(path, clock) == nil)
        }
    }

    @Test(
        "words of a process that is gone, of another boot, or of nobody are not believed",
        arguments: ["4194304 1 1 boot-1", "PID 1 1 boot-1", "PID TICKS 1 boot-0", "PID TICKS boot-1", "\u{1}", ""])
    func notBelieved(words: String) throws {
        try withTemporaryDirectory { path in
            let (owner, clock) = (try lock(path), ManualClock())
            #expect(try owner.tryLock())
            owner.sign(clock)
            let file = URL(fileURLWithPath: path + "/owner.lock")
            let own = String(decoding: try Data(contentsOf: file), as: UTF8.self).split(separator: " ")
            let text = words.replacingOccurrences(of: "PID", with: own[0])
                .replacingOccurrences(of: "TICKS", with: own[1])
            let handle = try FileHandle(forWritingTo: file)
            try handle.write(contentsOf: Data((text + String(repeating: " ", count: 64)).utf8.prefix(64)))
            try handle.close()
            #expect(try holder(path, clock) == nil)
        }
    }

    // MARK: - Other processes

    /// Takes the lock as another process would, says so and waits to be told to end.
    private static let holder = """
        import fcntl, os, struct, sys
        file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.fcntl(file, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
        print("held", flush=True)
        sys.stdin.read()
        """

    private func startHolder(_ path: String) throws -> Process {
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: try #require(findExecutable("python3")))
        process.arguments = ["-c", Self.holder, path + "/owner.lock"]
        process.standardInput = input
        process.standardOutput = output
        try start(process)
        let line = output.fileHandleForReading.availableData
        #expect(line.starts(with: Data("held".utf8)))
        return process
    }

    @Test("another process's death frees it at once", .enabled(if: findExecutable("python3") != nil))
    func killedHolder() throws {
        try withTemporaryDirectory { path in
            let process = try startHolder(path)
            let lock = try lock(path)
            #expect(try isHeld(path))
            #expect(try !lock.tryLock())
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            #expect(try !isHeld(path))
            #expect(try lock.tryLock())
        }
    }

    @Test("a child started while it is held neither frees it nor keeps it on")
    func child() throws {
        try withTemporaryDirectory { path in
            let owner = try lock(path)
            #expect(try owner.tryLock())
            let child = Process()
            let input = Pipe()
            child.executableURL = URL(fileURLWithPath: try #require(findExecutable("cat")))
            child.standardInput = input
            child.standardOutput = FileHandle.nullDevice
            try start(child)
            #expect(try run("true").status == 0)
            #expect(try !lock(path).tryLock())
            owner.unlock()
            #expect(try lock(path).tryLock())
            try input.fileHandleForWriting.close()
            child.waitUntilExit()
        }
    }
}

func permissions(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
}
