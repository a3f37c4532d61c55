/// A minidump of Windows, Breakpad or Crashpad: the threads of a process, its modules, and the exception that ended it.
///
/// A dump without an exception, or with the exception of a program that asks for a dump of itself, is of a process that
/// went on.
enum MinidumpFormat: BinaryFormat {
    static func read(_ window: PayloadWindow) -> Diagnosis? {
        guard let file = MinidumpFile(window) else { return nil }
        let system = MinidumpSystem(file)
        let modules = MinidumpModules(file, platform: system?.platform)
        let exception = MinidumpException(file)
        let kind = self.kind(of: exception, in: file)
        var cause =
            exception?.cause(on: system) ?? Crash.Cause(type: kind == .crash ? "minidump" : "requested dump")
        if let assertion = self.assertion(in: file) { cause.message = assertion }
        var crash = Crash(cause: cause)
        crash.system = system?.system ?? Crash.System()
        crash.images = modules.images
        crash.threads = MinidumpThreads(file, system, images: modules.images).threads(
            crashed: exception?.thread, context: exception?.context)
        if exception?.isSentByItself(on: system) ?? false { crash.disownInnermostFrame() }
        crash.occurredAt = file.writtenAt
        crash.program = self.program(of: file, modules: modules)
        crash.process = self.process(of: file, system, threads: crash.threads)
        crash.version = modules.version ?? self.annotation(["ver", "version", "_version"], in: file)
        return Diagnosis(
            format: "minidump", contentType: "application/x-dmp", kind: kind, summary: crash.nativeSummary(),
            crash: crash)
    }

    private static func kind(of exception: MinidumpException?, in file: MinidumpFile) -> Diagnosis.Kind {
        guard let exception else {
            // The exception may be in what was cut off, or between the beginning and the end.
            let isKnown = file.hasDirectory && !file.lists(MinidumpFile.StreamType.exception)
            return isKnown ? .diagnostic : .crash
        }
        if exception.isHang { return .hang }
        return exception.isRequested ? .diagnostic : .crash
    }

    /// Breakpad's `MDRawAssertionInfo`: an expression, a function and a file of 128 units each, and a line.
    private static func assertion(in file: MinidumpFile) -> String? {
        guard let stream = file.stream(MinidumpFile.StreamType.assertion) else { return nil }
        let place = file.text(at: stream.offset + 512, unitCount: 128).map { path in
            let line = file.reader.integer(UInt32.self, at: stream.offset + 768).map { ":\($0)" } ?? ""
            return "at \(NativeCode.fileName(path))\(line)"
        }
        let expression = file.text(at: stream.offset, unitCount: 128)
        return Words.join(expression.map { "assertion \($0)" }, place, separator: " ").nonEmpty
    }

    // MARK: The process

    /// The first module's name. Where that is only the starter of Android's programs, and where there is none, the first
    /// argument and the kernel's short name stand in; no other argument is looked at.
    private static func program(of file: MinidumpFile, modules: MinidumpModules) -> String? {
        let module = modules.images.first.flatMap { NativeCode.fileName($0.path).nonEmpty }
        if let module, !module.hasPrefix("app_process") { return module }
        let arguments = file.stream(MinidumpFile.StreamType.linuxArguments).map {
            file.reader.available(at: $0.offset, limit: min($0.byteCount, 4_096))
        }
        let first = arguments?.prefix { $0 != 0 }.text.lastPathComponent.nonEmpty
        return first ?? self.linuxStatus("Name:", in: file) ?? module
    }

    private static func process(
        of file: MinidumpFile, _ system: MinidumpSystem?, threads: [Crash.Thread]
    ) -> Int64? {
        if let stream = file.stream(MinidumpFile.StreamType.miscellaneous),
            let flags = file.reader.integer(UInt32.self, at: stream.offset + 4), flags & 1 != 0,
            let process = file.reader.integer(UInt32.self, at: stream.offset + 8)
        {
            return Int64(process)
        }
        if let process = self.linuxStatus("Pid:", in: file).flatMap({ Int64($0) }) { return process }
        // On Linux the first thread has the process's number.
        return system?.platform == .linux ? threads.first?.number : nil
    }

    /// A value of `/proc/PID/status`, which Breakpad keeps.
    private static func linuxStatus(_ name: String, in file: MinidumpFile) -> String? {
        guard let stream = file.stream(MinidumpFile.StreamType.linuxStatus) else { return nil }
        let status = file.reader.available(at: stream.offset, limit: min(stream.byteCount, 8_192))
        return status.split(separator: UInt8(ascii: "\n")).lazy.compactMap { $0.dropping(name)?.trimmed.text.nonEmpty }
            .first
    }

    /// The value of one of Crashpad's annotations of the process, which are pairs of texts.
    private static func annotation(_ names: [String], in file: MinidumpFile) -> String? {
        guard let stream = file.stream(MinidumpFile.StreamType.crashpad),
            let list = file.location(at: stream.offset + 36),
            let count = file.reader.integer(UInt32.self, at: list.offset), list.byteCount > 0
        else { return nil }
        func text(_ place: Int) -> String? {
            guard let offset = file.reader.offset(UInt32.self, at: place),
                let count = file.reader.offset(UInt32.self, at: offset)
            else { return nil }
            return file.reader.text(at: offset + 4, byteCount: count)?.nonEmpty
        }
        for index in 0..<min(Int(count), 256) {
            let entry = list.offset + 4 + index * 8
            guard let name = text(entry) else { break }
            if names.contains(name) { return text(entry + 4) }
        }
        return nil
    }
}
