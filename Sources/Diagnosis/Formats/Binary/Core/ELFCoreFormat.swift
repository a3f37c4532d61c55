/// A core dump: the memory of a process when a signal ended it, with notes about the process and its threads.
///
/// The kernel writes it, or gdb, Valgrind, .NET's `createdump` and others in the kernel's form. What is read is in the
/// notes: the signal and its cause, the process, each thread's instruction, the mapped files. Where the stack of the
/// crashed thread is within the window, the chain of its frame pointers is followed.
enum ELFCoreFormat: BinaryFormat {
    static func read(_ window: PayloadWindow) -> Diagnosis? {
        guard let file = ELFCoreFile(window) else { return nil }
        let notes = CoreNotes(file)
        if notes.kernel != nil || notes.isOfVirtualMachine {
            return KernelDump.diagnosis(
                information: notes.kernel, architecture: file.machine?.name,
                isOfVirtualMachine: notes.isOfVirtualMachine)
        }
        let images = CoreImages(notes, of: file)
        let signal = self.signal(of: notes)
        var crash = Crash(
            program: self.program(notes, images) ?? window.name.systemdCoreProcess?.command,
            process: self.process(of: notes, named: window.name),
            cause: self.cause(signal, notes))
        crash.threads = self.threads(of: notes, in: file, images)
        // A process that ends itself does so in `raise`, which is in the program's own file if that is static.
        if signal?.isOwn(of: notes) ?? false { crash.disownInnermostFrame() }
        crash.images = images.images
        crash.system = Crash.System(name: notes.system, architecture: file.machine?.name)
        crash.occurredAt = window.name.systemdCoreProcess?.crashedAt
        return Diagnosis(
            format: "elf-core", contentType: "application/x-coredump",
            kind: self.isRequested(notes) ? .diagnostic : .crash, summary: crash.nativeSummary(), crash: crash)
    }

    // MARK: The cause

    /// A signal with the kernel's account of it.
    private struct Signal {
        let name: String
        let info: CoreNotes.SignalInfo?

        /// Whether the process has sent it to itself.
        func isOwn(of notes: CoreNotes) -> Bool {
            guard let sender = self.info?.sender else { return false }
            return sender == notes.process || notes.threads.contains { $0.number == sender }
        }
    }

    /// The signal of the crashed thread. gdb keeps an account of a signal for each thread, so the one for this signal
    /// is taken.
    private static func signal(of notes: CoreNotes) -> Signal? {
        let number = notes.crashedThread.map { notes.threads[$0].signal } ?? notes.signalInfo.first?.number ?? 0
        guard number > 0 else { return nil }
        return Signal(
            name: SignalName.name(of: number, on: notes.signals),
            info: notes.signalInfo.first { $0.number == number })
    }

    /// Whether somebody asked for the core of a process that lives on. gdb gives no signal to the threads of a process
    /// that it has stopped, or the signal that it stops processes with.
    private static func isRequested(_ notes: CoreNotes) -> Bool {
        guard let index = notes.crashedThread else { return false }
        let signal = notes.threads[index].signal
        return signal == 0 || SignalName.name(of: signal, on: notes.signals) == "SIGSTOP"
    }

    private static func cause(_ signal: Signal?, _ notes: CoreNotes) -> Crash.Cause {
        guard let signal else {
            return Crash.Cause(type: self.isRequested(notes) ? "requested core dump" : "core dump")
        }
        var cause = Crash.Cause(type: signal.name, signal: signal.name)
        let thread = notes.crashedThread.map { notes.threads[$0] }
        if let code = signal.info?.code ?? thread?.code {
            cause.code =
                notes.system == "FreeBSD"
                ? SignalCode.freeBSD(code, of: signal.name) : SignalCode.linux(code, of: signal.name)
        }
        cause.address = signal.info?.address
        // `abort` sends the signal to itself; a signal of another process is the reason for the end.
        if let sender = signal.info?.sender, sender > 0, !signal.isOwn(of: notes) {
            cause.message = "sent by process \(sender)"
        }
        return cause
    }

    // MARK: The process

    /// The kernel's short name of the process, or all of the file's name where the short one is cut.
    private static func program(_ notes: CoreNotes, _ images: CoreImages) -> String? {
        let file = images.main?.path.lastPathComponent.nonEmpty
        guard let command = notes.command else { return file }
        if let file, command.utf8.count >= 15, file.hasPrefix(command) { return file }
        return command
    }

    private static func process(of notes: CoreNotes, named name: PayloadName) -> Int64? {
        notes.process ?? notes.crashedThread.flatMap { notes.threads[$0].number }
            ?? name.systemdCoreProcess.flatMap { Int64($0.identifier) }
    }

    // MARK: The threads

    private static func threads(
        of notes: CoreNotes, in file: ELFCoreFile, _ images: CoreImages
    ) -> [Crash.Thread] {
        let crashed = self.isRequested(notes) ? nil : notes.crashedThread
        return notes.threads.enumerated().map { index, thread in
            var addresses = thread.instruction.map { [$0] } ?? []
            if index == notes.crashedThread { addresses += self.returnAddresses(of: thread, in: file, images) }
            var result = Crash.Thread(
                name: thread.name, number: thread.number, isCrashed: index == crashed,
                frames: addresses.map { NativeCode.frame(at: $0, in: images.image(at: $0), main: images.main) })
            if index == crashed { result.registers = thread.registers }
            return result
        }
    }

    private static func returnAddresses(
        of thread: CoreNotes.Thread, in file: ELFCoreFile, _ images: CoreImages
    ) -> [UInt64] {
        guard let frame = thread.frame, let stack = thread.stack else { return [] }
        let mask = file.machine?.addressMask ?? .max
        let walk = FramePointerWalk(wordByteCount: UInt64(file.wordByteCount)) { address in
            file.word(atAddress: address)
        } isCode: { address in
            images.image(at: address & mask) != nil && file.segment(at: address & mask)?.isCode ?? true
        }
        return walk.returnAddresses(from: frame, stack: stack).map { $0 & mask }
    }
}
