import Diagnosis

/// Stacks in Sentry's form: the outermost frame first, and the frame at fault last.
struct SentryStack {
    let format: SentryFormat
    let images: SentryImages
    /// The most frames of a stack. Sentry keeps 250 of a longer one, and does not say that it left some out.
    var frameLimit = 250
    var hasRegisters = true

    /// - Returns: `nil` for a stack without frames.
    func json(_ frames: [Crash.Frame], registers: [Crash.Register] = []) -> JSONValue? {
        guard !frames.isEmpty else { return nil }
        // One word is for all addresses of a stack. Where the payload tells what some of them are, all are made to be
        // within the call. Else Sentry takes all but the innermost one for addresses to which a call returns.
        let isAdjusted = frames.contains { $0.isReturnAddress != nil }
        var list: [JSONValue] = []
        let omission = omission(of: frames)
        for index in frames.indices.reversed() {
            if let omission, omission.contains(index) {
                if index == omission.lowerBound { list.append(Self.omitted(frames[omission])) }
                continue
            }
            list.append(.object(json(frames[index], isInnermost: index == 0, isAdjusted: isAdjusted)))
        }
        var object = JSONObject()
        object["frames"] = .array(list)
        if hasRegisters, !registers.isEmpty { object["registers"] = .object(Self.json(registers)) }
        if isAdjusted { object["instruction_addr_adjustment"] = .string("none") }
        return .object(object)
    }

    /// The frames in the middle of a long stack that are left out; one frame stands for them. Where calls are missing
    /// already further out, they are among them, so that the stack has one gap and not two.
    private func omission(of frames: [Crash.Frame]) -> Range<Int>? {
        guard frames.count > frameLimit else { return nil }
        let count = frames.count - (frameLimit - 1)
        let missing = frames.lastIndex { $0.omittedCount != nil } ?? 0
        let end = max(frameLimit / 2 + count, missing + 1)
        return end - count..<end
    }

    private static func omitted(_ frames: ArraySlice<Crash.Frame>) -> JSONValue {
        let count = frames.reduce(0) { $0 + $1.callCount }
        return .object(
            JSONObject([
                .init(key: "function", value: .string("<\(count) frames omitted>")),
                .init(key: "in_app", value: .bool(false)),
            ]))
    }

    private static func json(_ registers: [Crash.Register]) -> JSONObject {
        let digits = registers.contains { $0.value > UInt32.max } ? 16 : 8
        return JSONObject(
            registers.compactMap { register in
                SentryText.line(register.name, 32).map {
                    .init(key: $0, value: SentryNumber.register(register.value, digits: digits))
                }
            })
    }

    // MARK: - Frames

    private func json(_ frame: Crash.Frame, isInnermost: Bool, isAdjusted: Bool) -> JSONObject {
        var object = JSONObject()
        addNames(of: frame, to: &object)
        addSource(of: frame, to: &object)
        addAddresses(of: frame, isReturnAddress: isAdjusted && frame.isReturnAddress ?? !isInnermost, to: &object)
        object["in_app"] = .bool(frame.isOwn)
        return object
    }

    private func addNames(of frame: Crash.Frame, to object: inout JSONObject) {
        let names = SentryFrameNames(frame, format)
        object["platform"] = names.platform.map { .string($0) }
        object["function"] = text(names.function, SentryText.Limit.function)
        object["module"] = text(names.module, SentryText.Limit.path)
        object["symbol"] = text(frame.symbol, SentryText.Limit.function)
        guard names.isInPackage else { return }
        object["package"] = text(images.image(of: frame)?.path ?? frame.module, SentryText.Limit.path)
    }

    private func addSource(of frame: Crash.Frame, to object: inout JSONObject) {
        guard let file = SentryText.line(frame.file, SentryText.Limit.path) else { return }
        let isAbsolute = file.hasPrefix("/") || file.hasPrefix("\\\\") || file.dropFirst().hasPrefix(":\\")
        object["filename"] = text(isAbsolute ? file.fileName : file, SentryText.Limit.path) ?? .string(file)
        if isAbsolute { object["abs_path"] = .string(file) }
        object["lineno"] = SentryNumber.position(frame.line)
        object["colno"] = SentryNumber.position(frame.column)
        object["context_line"] = text(frame.sourceLine, SentryText.Limit.sourceLine)
    }

    /// The addresses by which Sentry looks for symbols. An inlined frame has none, or Sentry would find all frames that
    /// share the address once more.
    private func addAddresses(of frame: Crash.Frame, isReturnAddress: Bool, to object: inout JSONObject) {
        let base = images.image(of: frame)?.baseAddress
        if let base { object["image_addr"] = SentryNumber.address(base) }
        guard !frame.isInlined else { return }
        if let address = frame.address ?? place(frame.moduleOffset, behind: base) {
            object["instruction_addr"] = SentryNumber.address(isReturnAddress && address > 0 ? address - 1 : address)
        }
        object["symbol_addr"] = frame.symbolAddress.map(SentryNumber.address)
    }

    private func place(_ offset: UInt64?, behind base: UInt64?) -> UInt64? {
        guard let offset, let base else { return nil }
        let (address, overflow) = base.addingReportingOverflow(offset)
        return overflow ? nil : address
    }

    private func text(_ text: String?, _ limit: Int) -> JSONValue? {
        SentryText.line(text, limit).map { .string($0) }
    }
}

/// The name of a frame's function, and of what it is in, as the frame's language has them.
struct SentryFrameNames {
    private(set) var function: String?
    private(set) var module: String?
    /// Whether it is machine code, which is in a package.
    private(set) var isInPackage = false
    /// The frame's platform, where it is another one than the event's.
    private(set) var platform: String?

    init(_ frame: Crash.Frame, _ format: SentryFormat) {
        function = frame.function
        switch format.naming {
        case .package:
            // The stack of a Java machine has both.
            guard format.name == "jvm-hs-err", frame.moduleOffset == nil, frame.address == nil,
                let name = frame.function, name.contains("."), !name.contains("::")
            else {
                isInPackage = true
                return
            }
            platform = "java"
            splitClass()
        case _ where frame.address != nil && frame.file == nil && format.name != "go-panic":
            // A runtime shows its own machine code, too.
            platform = "native"
            isInPackage = true
        case .classBeforeFunction: splitClass()
        case .packageBeforeFunction:
            guard let package = frame.module, let name = frame.function, name.hasPrefix(package + ".") else {
                module = frame.module
                return
            }
            module = package
            function = String(name.dropFirst(package.count + 1))
        case .module: module = frame.module
        }
    }

    /// Parts the class from the function, at the last point before the arguments.
    private mutating func splitClass() {
        guard let name = function else { return }
        let end = name.firstIndex(of: "(") ?? name.endIndex
        guard let point = name[..<end].lastIndex(of: "."), point > name.startIndex, name.index(after: point) < end
        else { return }
        // The constructor of .NET is called `.ctor`.
        let isConstructor = name[name.index(before: point)] == "."
        let classEnd = isConstructor ? name.index(before: point) : point
        guard classEnd > name.startIndex else { return }
        module = String(name[..<classEnd])
        function = String(name[name.index(after: classEnd)...])
    }
}
