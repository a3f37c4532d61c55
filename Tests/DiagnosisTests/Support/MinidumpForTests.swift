/// A minidump, put together from streams.
struct MinidumpForTests {
    struct Module {
        let path: String
        let base: UInt64
        var size: UInt32 = 0x10000
        var record: [UInt8] = []
    }

    var writer: BinaryWriter
    private var streams: [(type: UInt32, count: Int, offset: Int)] = []
    private let capacity = 16
    /// The processor's number, the offset of its instruction pointer, and the size of its context.
    var processor: (number: UInt16, instruction: Int, contextByteCount: Int) = (9, 0xf8, 1_232)

    init(isBigEndian: Bool = false) {
        self.writer = BinaryWriter(isBigEndian: isBigEndian)
        self.writer.pad(to: 32 + self.capacity * 12)
    }

    mutating func add(_ type: UInt32, _ content: [UInt8]) {
        self.streams.append((type, content.count, self.writer.bytes.count))
        self.writer.bytes += content
    }

    func empty(_ count: Int = 0) -> BinaryWriter {
        BinaryWriter(bytes: [UInt8](repeating: 0, count: count), isBigEndian: self.writer.isBigEndian)
    }

    /// Stores bytes outside of the streams.
    mutating func store(_ bytes: [UInt8]) -> UInt32 {
        let offset = self.writer.bytes.count
        self.writer.bytes += bytes
        return UInt32(offset)
    }

    mutating func store(text: String) -> UInt32 {
        var bytes = self.empty()
        bytes.append(UInt32(text.utf16.count * 2))
        for unit in text.utf16 { bytes.append(unit) }
        bytes.append(UInt16(0))
        return self.store(bytes.bytes)
    }

    mutating func addSystem(platform: UInt32, version: (UInt32, UInt32, UInt32) = (0, 0, 0), text: String? = nil) {
        var system = self.empty(56)
        system.put(self.processor.number, at: 0)
        system.put(version.0, at: 8)
        system.put(version.1, at: 12)
        system.put(version.2, at: 16)
        system.put(platform, at: 20)
        if let text { system.put(self.store(text: text), at: 24) }
        self.add(7, system.bytes)
    }

    mutating func addModules(_ modules: [Module]) {
        var list = self.empty()
        list.append(UInt32(modules.count))
        for module in modules {
            var entry = self.empty(108)
            entry.put(module.base, at: 0)
            entry.put(module.size, at: 8)
            entry.put(self.store(text: module.path), at: 20)
            entry.put(UInt32(module.record.count), at: 76)
            entry.put(self.store(module.record), at: 80)
            list.bytes += entry.bytes
        }
        self.add(4, list.bytes)
    }

    /// A list of threads, each with its instruction pointer.
    mutating func addThreads(_ threads: [(number: UInt32, instruction: UInt64)]) {
        var list = self.empty()
        list.append(UInt32(threads.count))
        for thread in threads {
            var entry = self.empty(48)
            entry.put(thread.number, at: 0)
            entry.put(UInt32(self.processor.contextByteCount), at: 40)
            entry.put(self.store(self.context(instruction: thread.instruction)), at: 44)
            list.bytes += entry.bytes
        }
        self.add(3, list.bytes)
    }

    mutating func addException(
        _ code: UInt32, flags: UInt32 = 0, address: UInt64 = 0, thread: UInt32, parameters: [UInt64] = [],
        instruction: UInt64? = nil
    ) {
        var exception = self.empty(168)
        exception.put(thread, at: 0)
        exception.put(code, at: 8)
        exception.put(flags, at: 12)
        exception.put(address, at: 24)
        exception.put(UInt32(parameters.count), at: 32)
        for (index, parameter) in parameters.enumerated() { exception.put(parameter, at: 40 + index * 8) }
        if let instruction {
            exception.put(UInt32(self.processor.contextByteCount), at: 160)
            exception.put(self.store(self.context(instruction: instruction)), at: 164)
        }
        self.add(6, exception.bytes)
    }

    private func context(instruction: UInt64) -> [UInt8] {
        var context = self.empty(self.processor.contextByteCount)
        if [0, 3, 5].contains(self.processor.number) {
            context.put(UInt32(truncatingIfNeeded: instruction), at: self.processor.instruction)
        } else {
            context.put(instruction, at: self.processor.instruction)
        }
        return context.bytes
    }

    var bytes: [UInt8] {
        var dump = self.writer
        dump.put(self.writer.isBigEndian ? "PMDM" : "MDMP", at: 0)
        dump.put(UInt32(0xa793), at: 4)
        dump.put(UInt32(self.streams.count), at: 8)
        dump.put(UInt32(32), at: 12)
        dump.put(UInt32(1_795_853_584), at: 20)
        for (index, stream) in self.streams.enumerated() {
            dump.put(stream.type, at: 32 + index * 12)
            dump.put(UInt32(stream.count), at: 36 + index * 12)
            dump.put(UInt32(stream.offset), at: 40 + index * 12)
        }
        return dump.bytes
    }
}
