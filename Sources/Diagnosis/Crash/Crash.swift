/// A crash as data, in one form for all formats: what died, of what, and where.
///
/// Every member holds what the payload says and nothing else: a member that the format does not have is `nil` or empty.
/// Texts are as the payload has them. They may hold control characters, so they are filtered before they are printed.
/// The bounds of a value that ``Diagnosis`` gives out are those of ``Bounds``.
package struct Crash: Sendable, Hashable {
    /// The name of the program's file, without its directory and without arguments.
    package var program: String?
    /// The program's version.
    package var version: String?
    /// The number of the process.
    package var process: Int64?
    /// What ended the process.
    package var cause: Cause
    /// Causes that led to ``cause``, as chains of exceptions tell them: the immediate one first.
    package var earlierCauses: [Cause] = []
    /// The threads of the process, in the order of the payload. One of them at most has crashed.
    package var threads: [Thread] = []
    /// The program's file and the libraries that were loaded, in the order of the payload.
    package var images: [Image] = []
    package var system = System()
    /// The language's runtime, for example `Python` or `OpenJDK Runtime Environment`.
    package var runtime: Runtime?
    /// When the process crashed, in milliseconds since 1970 UTC; `nil` unless the payload tells a time and its zone.
    package var occurredAt: Int64?
    /// The end of what the program wrote to standard error, where the payload has it and nothing in it is a crash with a
    /// stack: often it says why the program gave up.
    package var lastWords: String?

    package init(program: String? = nil, process: Int64? = nil, cause: Cause) {
        self.program = program
        self.process = process
        self.cause = cause
    }

    /// The thread that crashed; the first one with a stack where the payload marks none.
    package var crashedThread: Thread? {
        self.threads.first(where: \.isCrashed) ?? self.threads.first { !$0.frames.isEmpty }
    }

    /// The frame to begin with: the innermost one of the program's own code, else the innermost one. A frame that names
    /// neither a function nor a line says too little.
    package var place: Frame? {
        let frames = (self.crashedThread?.frames ?? []).lazy.filter(\.isNamed)
        return frames.first(where: \.isOwn) ?? frames.first
    }
}

extension Crash {
    /// What ended a process: a signal, an exception, a failed check.
    package struct Cause: Sendable, Hashable {
        /// The kind of fault in the words of its runtime: `SIGSEGV`, `KeyError`, `panic`, `heap-buffer-overflow`.
        package var type: String
        /// The message that came with it.
        package var message: String?
        /// The name of the signal that ended the process, for example `SIGSEGV`.
        package var signal: String?
        /// A code of the system or the runtime that says more than the type, for example `SEGV_MAPERR`.
        package var code: String?
        /// The address whose use was the fault.
        package var address: UInt64?
        /// The stack on which an earlier cause was raised, the innermost frame first. It is empty where the payload has
        /// none, and for ``Crash/cause``, whose stack is that of the crashed thread.
        package var frames: [Frame] = []

        package init(
            type: String, message: String? = nil, signal: String? = nil, code: String? = nil, address: UInt64? = nil
        ) {
            self.type = type
            self.message = message
            self.signal = signal
            self.code = code
            self.address = address
        }
    }

    /// A thread, a goroutine or another strand of execution that has a stack of its own.
    package struct Thread: Sendable, Hashable {
        package var name: String?
        /// The number that the payload gives to it.
        package var number: Int64?
        /// Whether the fault happened in it.
        package var isCrashed: Bool
        /// What it was doing in the words of its runtime, for example `chan receive`.
        package var state: String?
        /// The innermost frame first, whatever the order in the payload.
        package var frames: [Frame]
        /// The registers of the crashed thread, in the order of the payload; empty for other threads, and where the
        /// format has none.
        package var registers: [Register] = []

        package init(name: String? = nil, number: Int64? = nil, isCrashed: Bool, frames: [Frame]) {
            self.name = name
            self.number = number
            self.isCrashed = isCrashed
            self.frames = frames
        }
    }

    /// A register of the processor, as it was when the thread stopped.
    package struct Register: Sendable, Hashable {
        /// The name in lower case, for example `rip` or `x0`.
        package var name: String
        package var value: UInt64

        package init(name: String, value: UInt64) {
            self.name = name
            self.value = value
        }
    }

    /// One call on a stack.
    package struct Frame: Sendable, Hashable {
        /// The function as people write it, without the offset into it and without the values of its arguments.
        package var function: String?
        /// The source file as the payload has it.
        package var file: String?
        package var line: Int64?
        package var column: Int64?
        /// The image, package or class that the function is in.
        package var module: String?
        /// The address of the instruction.
        package var address: UInt64?
        /// Whether the address is the one to which the call returns, so that the call itself lies before it; `false`
        /// where it lies within the instruction. `nil` is the usual case, in which the payload says nothing: only the
        /// innermost frame's address is that of its instruction.
        package var isReturnAddress: Bool?
        /// How far the address lies from the beginning of the module in memory.
        package var moduleOffset: UInt64?
        /// The function as the linker knows it, where ``function`` is another form of the name.
        package var symbol: String?
        /// The address where the function begins.
        package var symbolAddress: UInt64?
        /// Whether the compiler has put the function's code into that of the next frame, so that both have one address.
        package var isInlined = false
        /// How many calls the frame stands for that are missing in the middle of the stack; `nil` for a frame that is
        /// one call.
        package var omittedCount: Int?
        /// The line of source code, as the payload prints it.
        package var sourceLine: String?
        /// Whether it is code of the program, and neither of the system's libraries nor of the language's runtime.
        package var isOwn: Bool

        package init(
            function: String? = nil, file: String? = nil, line: Int64? = nil, column: Int64? = nil,
            module: String? = nil, address: UInt64? = nil, moduleOffset: UInt64? = nil, isOwn: Bool
        ) {
            self.function = function
            self.file = file
            self.line = line
            self.column = column
            self.module = module
            self.address = address
            self.moduleOffset = moduleOffset
            self.isOwn = isOwn
        }

        /// Whether the frame is a call of which the payload tells the function or the line.
        package var isNamed: Bool { self.omittedCount == nil && (self.function != nil || self.line != nil) }
    }

    /// A file of code that was loaded into the process.
    package struct Image: Sendable, Hashable {
        package var path: String
        /// The build id of an ELF file, the UUID of a Mach-O file, or the identifier of a PDB: hexadecimal digits in
        /// lower case, without dashes.
        package var buildID: String?
        package var baseAddress: UInt64?
        /// The first address behind it.
        package var endAddress: UInt64?

        package init(path: String, buildID: String? = nil, baseAddress: UInt64? = nil, endAddress: UInt64? = nil) {
            self.path = path
            self.buildID = buildID
            self.baseAddress = baseAddress
            self.endAddress = endAddress
        }
    }

    /// The system that the process ran on.
    package struct System: Sendable, Hashable {
        /// For example `Linux`, `macOS`, `Windows`.
        package var name: String?
        package var version: String?
        /// For example `x86_64`, `arm64`.
        package var architecture: String?

        package init(name: String? = nil, version: String? = nil, architecture: String? = nil) {
            self.name = name
            self.version = version
            self.architecture = architecture
        }
    }

    /// A language's runtime.
    package struct Runtime: Sendable, Hashable {
        package var name: String
        package var version: String?

        package init(name: String, version: String? = nil) {
            self.name = name
            self.version = version
        }
    }
}
