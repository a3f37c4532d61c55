import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

@Suite("Look at drops")
struct DropLookTests {
    private static let panic = "thread 'main' panicked at src/main.rs:2:5:\nindex out of bounds\n"

    /// The names of the files in the drop zone that were opened.
    private typealias Opened = Monitor<[String]>

    private func harness(
        _ directory: String, _ opened: Opened = Opened([]), clock: ManualClock = ManualClock(),
        onOpen: @escaping @Sendable (String) throws(FileSystemError) -> Void = { _ in }
    ) throws -> SpoolHarness {
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .open, call.room == "incoming", let name = call.name else { return }
            opened.withLock { $0.append(name.description) }
            try onOpen(name.description)
        }
        return try SpoolHarness(directory + "/spool", clock: clock, files: files)
    }

    @discardableResult
    private func look(
        _ harness: SpoolHarness, _ order: inout DropOrder, tries: (DropOrder.Entry, String) -> Int? = { _, _ in 0 },
        leave: (DropZone.Drop) -> Void = { _ in }
    ) -> DropZone.Look {
        let zone = DropZone(spool: harness.spool)
        let look = zone.look(into: &order, tries: tries, leave: leave)
        zone.readHeads(into: &order)
        return look
    }

    private func names(_ order: inout DropOrder) -> [String] {
        var names: [String] = []
        while let next = order.popSmall() { names.append(next.name.description) }
        return names
    }

    // MARK: - The order

    @Test("what begins like a crash or has the name of one is taken before smaller drops")
    func crashes() throws {
        try withTemporaryDirectory { directory in
            let harness = try harness(directory)
            for number in 0..<5 { try harness.drop("a\(number)", String(repeating: "x", count: number)) }
            try harness.drop("z", Self.panic)
            try harness.drop("app.dmp", "nobody knows what, but for its name")
            var order = DropOrder()
            look(harness, &order)
            #expect(names(&order) == ["z", "app.dmp", "a0", "a1", "a2", "a3", "a4"])
        }
    }

    @Test("a drop is read once, and again when it has changed")
    func once() throws {
        try withTemporaryDirectory { directory in
            let opened = Opened([])
            let harness = try harness(directory, opened)
            try harness.drop("a", "one")
            try harness.drop("b", "two")
            var order = DropOrder()
            look(harness, &order)
            look(harness, &order)
            #expect(names(&order).count == 2)
            look(harness, &order)
            #expect(opened.value.sorted() == ["a", "b"])
            try harness.drop("a", Self.panic)
            look(harness, &order)
            #expect(opened.value.sorted() == ["a", "a", "b"])
            #expect(names(&order) == ["a", "b"])
        }
    }

    @Test("reading ends with its time; the others wait as no crashes, and are read by the next calls")
    func time() throws {
        try withTemporaryDirectory { directory in
            let opened = Opened([])
            let clock = ManualClock()
            // Each costs the disk 400 ms.
            let harness = try harness(directory, opened, clock: clock) { _ in clock.advance(by: 400) }
            for number in 0..<7 { try harness.drop("d\(number)", String(repeating: "x", count: number)) }
            try harness.drop("crash-named", "text")
            let zone = DropZone(spool: harness.spool)
            var order = DropOrder()
            _ = zone.look(into: &order, tries: { _, _ in 0 }, leave: { _ in })
            #expect(!zone.readHeads(into: &order))
            #expect(opened.value.count == 3)
            #expect(order.popSmall()?.name == "crash-named")
            #expect(order.popSmall()?.name == "d0")
            #expect(order.count == 6)
            while !zone.readHeads(into: &order) {}
            #expect(opened.value.count == Set(opened.value).count)
            #expect(opened.value.count >= 6)
            // One is read however little time there is.
            try harness.drop("last", Self.panic)
            _ = zone.look(into: &order, tries: { _, _ in 0 }, leave: { _ in })
            zone.readHeads(into: &order, for: 0)
            #expect(opened.value.last == "last")
        }
    }

    @Test("a look ends with its time: it notes what it has come to, and forgets nothing; the next one goes on")
    func cut() throws {
        try withTemporaryDirectory { directory in
            let clock = ManualClock()
            let looked = Monitor(0)
            let files = FaultingFileSystem { call throws(FileSystemError) in
                guard call.operation == .inspect, call.room == "incoming", call.name != nil else { return }
                looked.withLock { $0 += 1 }
                clock.advance(by: 100)
            }
            let harness = try SpoolHarness(directory + "/spool", clock: clock, files: files)
            for number in 0..<8 { try harness.drop("d\(number)", "text") }
            let zone = DropZone(spool: harness.spool)
            var order = DropOrder()
            func look(for time: Int64?) -> DropZone.Look {
                looked.withLock { $0 = 0 }
                let end = time.map { clock.bootMilliseconds + $0 }
                return zone.look(into: &order, until: end, tries: { _, _ in 0 }, leave: { _ in })
            }
            #expect(look(for: nil).isWhole)
            #expect(order.count == 8)
            let cut = look(for: 250)
            #expect(cut.isCut && !cut.isWhole && !cut.isCancelled)
            #expect(looked.value == 3)
            #expect(order.count == 8)
            order = DropOrder()
            #expect(look(for: 250).isCut)
            #expect(order.count == 3)
            #expect(look(for: 1_000).isWhole)
            #expect(order.count == 8)
        }
    }

    // MARK: - What is not read

    @Test("FIFOs, links, directories and hidden files are named with a reason, and never opened")
    func notOpened() throws {
        try withTemporaryDirectory { directory in
            let opened = Opened([])
            let harness = try harness(directory, opened)
            let incoming = harness.path + "/incoming/"
            #expect(mkfifo(incoming + "fifo", 0o600) == 0)
            #expect(mkfifo(harness.path + "/taken/fifo", 0o600) == 0)
            #expect(symlink("/etc/hostname", incoming + "link") == 0)
            #expect(mkdir(incoming + "a directory", 0o700) == 0)
            try harness.drop(".hidden", "text")
            try harness.drop("drop", "text")
            var order = DropOrder()
            var left: [String] = []
            look(harness, &order, leave: { left.append($0.path) })
            #expect(
                left.sorted() == [
                    "incoming/.hidden", "incoming/a directory", "incoming/fifo", "incoming/link", "taken/fifo",
                ])
            #expect(opened.value == ["drop"])
            #expect(names(&order) == ["drop"])
        }
    }

    @Test("a drop that cannot be read is no crash, unless its name is one")
    func unreadable() throws {
        try withTemporaryDirectory { directory in
            let harness = try harness(directory) { name throws(FileSystemError) in
                if name != "small" { throw FileSystemError(.open, name, .permissionDenied) }
            }
            for name in ["core", "panicked"] { try harness.drop(name, Self.panic) }
            try harness.drop("unreadable", Self.panic)
            try harness.drop("small", "x")
            var order = DropOrder()
            look(harness, &order)
            let names = names(&order)
            #expect(Set(names.prefix(2)) == ["core", "panicked"])
            #expect(names.suffix(2) == ["small", "unreadable"])
        }
    }

    @Test("a look that is cancelled reads no further, and forgets nothing")
    func cancelled() async throws {
        try await withTemporaryDirectory { directory in
            let opened = Opened([])
            let harness = try harness(directory, opened)
            try harness.drop("a", "x")
            var order = DropOrder()
            look(harness, &order)
            try harness.drop("b", "x")
            let before = order
            let (look, count) = await Task {
                withUnsafeCurrentTask { $0?.cancel() }
                var order = before
                let look = self.look(harness, &order)
                return (look.isCancelled, order.count)
            }.value
            #expect(look)
            #expect(count == 1)
            #expect(opened.value == ["a"])
        }
    }

    @Test("a room that cannot be listed is named, and nothing in it is forgotten")
    func notListed() throws {
        try withTemporaryDirectory { directory in
            let isBroken = Monitor(false)
            let files = FaultingFileSystem { call throws(FileSystemError) in
                if call.operation == .list, call.room == "incoming", isBroken.value {
                    throw FileSystemError(.list, "incoming", .ioError)
                }
            }
            let harness = try SpoolHarness(directory + "/spool", files: files)
            try harness.drop("a", "x")
            let taken = harness.path + "/taken/old"
            try Data("text".utf8).write(to: URL(fileURLWithPath: taken))
            var order = DropOrder()
            #expect(look(harness, &order).failures.isEmpty)
            #expect(order.count == 2)
            isBroken.withLock { $0 = true }
            try FileManager.default.removeItem(atPath: taken)
            #expect(look(harness, &order).failures.map(\.room) == [.incoming])
            #expect(names(&order) == ["a"])
        }
    }

    // MARK: - What was taken before

    @Test("drops that were renamed away keep their names, and come last where earlier lives began them")
    func taken() throws {
        try withTemporaryDirectory { directory in
            let harness = try harness(directory)
            let (mine, begun) = (TakenName(for: "mine", isHidden: false), TakenName(for: "begun", isHidden: false))
            let hidden = TakenName(for: "core", isHidden: true)
            for (room, name) in [("taken", mine), ("taken", begun), ("incoming", hidden)] {
                let path = "\(harness.path)/\(room)/\(name.entry)"
                try Data("text".utf8).write(to: URL(fileURLWithPath: path))
            }
            try harness.drop("drop", "longer text")
            var order = DropOrder()
            look(
                harness, &order,
                tries: { entry, mark in
                    #expect(mark.hasPrefix("source"))
                    return entry.name == mine.entry ? nil : entry.name == begun.entry ? 2 : 0
                })
            let popped = order.popSmall()
            let first = try #require(popped)
            #expect(first.name == hidden.entry)
            #expect(first.isTaken)
            #expect(first.room == .incoming)
            #expect(order.popSmall()?.name == "drop")
            let end = order.popSmall()
            let last = try #require(end)
            #expect(last.name == begun.entry)
            #expect(last.tries == 2)
            #expect(order.popSmall() == nil)
        }
    }
}
