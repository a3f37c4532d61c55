/// The threads of a minidump, each with the place where it was.
struct MinidumpThreads {
    private let file: MinidumpFile
    private let processor: UInt16?
    private let platform: MinidumpSystem.Platform?
    private let images: [Crash.Image]
    private let table: ImageTable

    init(_ file: MinidumpFile, _ system: MinidumpSystem?, images: [Crash.Image]) {
        self.file = file
        self.processor = system?.processor
        self.platform = system?.platform
        self.images = images
        self.table = ImageTable(images)
    }

    /// - Parameters:
    ///   - crashed: the number of the thread that the dump is about.
    ///   - context: where its registers at the time of the fault are. Those in the list of threads may be of the time
    ///     of the dump.
    /// - Returns: the threads in the order of the list, and the one that the dump is about if the list lacks it.
    func threads(crashed: UInt32?, context: MinidumpFile.Location?) -> [Crash.Thread] {
        let entries = self.file.entries(
            of: MinidumpFile.StreamType.threads, byteCount: 48, limit: Crash.Bounds.threadCount)
        let names = self.names()
        let crashedEntry = entries.first { self.file.reader.integer(UInt32.self, at: $0) == crashed }
        var threads: [Crash.Thread] = entries.compactMap { entry in
            guard let number = self.file.reader.integer(UInt32.self, at: entry) else { return nil }
            let isCrashed = crashed != nil && entry == crashedEntry
            let registers = (isCrashed ? context : nil) ?? self.file.location(at: entry + 40)
            return Crash.Thread(
                name: names[number], number: Int64(number), isCrashed: isCrashed,
                frames: self.frames(registers, stack: isCrashed ? entry + 24 : nil))
        }
        if let crashed, !threads.contains(where: \.isCrashed) {
            let frames = self.frames(context, stack: nil)
            threads.append(
                Crash.Thread(name: names[crashed], number: Int64(crashed), isCrashed: true, frames: frames))
        }
        return threads
    }

    private func names() -> [UInt32: String] {
        var names: [UInt32: String] = [:]
        let entries = self.file.entries(
            of: MinidumpFile.StreamType.threadNames, byteCount: 12, limit: Crash.Bounds.threadCount)
        for entry in entries {
            guard let number = self.file.reader.integer(UInt32.self, at: entry),
                let offset = self.file.reader.offset(UInt64.self, at: entry + 4)
            else { continue }
            names[number] = self.file.text(at: offset)
        }
        return names
    }

    // MARK: Frames

    /// The offsets of registers in a thread's context, which Windows and Breakpad define for each processor.
    private struct Registers {
        let instruction: Int
        var stack = 0
        var frame: Int?
        var byteCount = 8
    }

    private var registers: Registers? {
        switch self.processor {
        case 0, 10: Registers(instruction: 0xb8, stack: 0xc4, frame: 0xb4, byteCount: 4)
        // On Windows, the register of frames is one like others.
        case 9: Registers(instruction: 0xf8, stack: 0x98, frame: self.platform == .windows ? nil : 0xa0)
        case 5: Registers(instruction: 64, byteCount: 4)
        case 12, 0x8003: Registers(instruction: 264, stack: 256, frame: 240)
        case 1, 0x8004: Registers(instruction: 312)
        case 3: Registers(instruction: 4, byteCount: 4)
        case 0x8002, 0x8006: Registers(instruction: 8)
        case 0x8005: Registers(instruction: 8, byteCount: 4)
        default: nil
        }
    }

    /// The bits of an address; the others may sign a return address on ARM64.
    private var addressMask: UInt64 {
        guard self.processor == 12 || self.processor == 0x8003 else { return .max }
        return self.platform == .apple ? 0x7fff_ffff_ffff : 0xffff_ffff_ffff
    }

    private func word(at offset: Int, byteCount: Int) -> UInt64? {
        byteCount == 8
            ? self.file.reader.integer(UInt64.self, at: offset)
            : self.file.reader.integer(UInt32.self, at: offset).map(UInt64.init)
    }

    /// The frames of a thread, as far as its registers and its stack are in the window.
    private func frames(_ context: MinidumpFile.Location?, stack: Int?) -> [Crash.Frame] {
        guard let registers = self.registers, let context, context.byteCount >= registers.instruction + 8,
            let instruction = self.word(at: context.offset + registers.instruction, byteCount: registers.byteCount)
        else { return [] }
        var addresses = [instruction]
        if let stack, let frame = registers.frame,
            let frame = self.word(at: context.offset + frame, byteCount: registers.byteCount),
            let pointer = self.word(at: context.offset + registers.stack, byteCount: registers.byteCount)
        {
            addresses += self.returnAddresses(from: frame, pointer: pointer, stack: stack, registers.byteCount)
        }
        return addresses.map {
            NativeCode.frame(at: $0, in: self.table.image(at: $0), main: self.images.first)
        }
    }

    private func returnAddresses(from frame: UInt64, pointer: UInt64, stack: Int, _ byteCount: Int) -> [UInt64] {
        guard let start = self.file.reader.integer(UInt64.self, at: stack),
            let memory = self.file.location(at: stack + 8)
        else { return [] }
        let mask = self.addressMask
        let walk = FramePointerWalk(wordByteCount: UInt64(byteCount)) { address in
            guard address >= start, address - start <= UInt64(max(0, memory.byteCount - byteCount)) else { return nil }
            return self.word(at: memory.offset + Int(address - start), byteCount: byteCount)
        } isCode: { address in
            self.table.image(at: address & mask) != nil
        }
        return walk.returnAddresses(from: frame, stack: pointer).map { $0 & mask }
    }
}
