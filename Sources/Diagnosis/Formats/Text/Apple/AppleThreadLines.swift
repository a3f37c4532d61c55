/// The stacks in a crash report of Apple's systems.
///
/// A thread that has a name or a queue has it in its title, `Thread 0 Crashed:: Dispatch queue: com.apple.main-thread`,
/// or in a line of its own before that, `Thread 0 name:  Dispatch queue: com.apple.main-thread`. The stack of an uncaught
/// exception stands apart, as `Last Exception Backtrace:`; it takes the place of the stack of the thread that gave up.
struct AppleThreadLines {
    private let code: AppleCode
    private let paths: [String: String]
    private let crashedNumber: Int64?

    init(program: String?, images: [Crash.Image], crashedNumber: Int64?) {
        self.code = AppleCode(program: program)
        self.paths = Dictionary(images.map { ($0.path.lastPathComponent, $0.path) }) { first, _ in first }
        self.crashedNumber = crashedNumber
    }

    func threads(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Thread] {
        var threads: [Crash.Thread] = []
        var exception: [Crash.Frame] = []
        var isException = false
        var isOpen = false
        for (index, line) in zip(lines.indices, lines) {
            if line.starts(with: "Binary Images:".utf8) { break }
            if line.starts(with: "Last Exception Backtrace:".utf8) {
                (isException, isOpen) = (true, true)
            } else if let title = line.dropping("Thread "), let number = title.leadingDigits {
                isException = false
                if title.contains(" crashed with "), let crashed = threads.firstIndex(where: \.isCrashed) {
                    threads[crashed].registers = RegisterValues.section(lines[(index + 1)...])
                }
                isOpen = self.open(title[number.endIndex...], number: number.decimalNumber, in: &threads)
            } else if isOpen, let frame = self.frame(line) {
                if isException {
                    exception.append(frame)
                } else if let last = threads.indices.last {
                    threads[last].frames.append(frame)
                }
            } else if line.trimmed.isEmpty {
                isOpen = false
            }
        }
        if !exception.isEmpty, let crashed = threads.firstIndex(where: \.isCrashed) {
            threads[crashed].frames = exception
        }
        return threads
    }

    /// Begins a thread, or adds to one that has begun.
    /// - Returns: whether its frames follow.
    private func open(_ title: ArraySlice<UInt8>, number: Int64?, in threads: inout [Crash.Thread]) -> Bool {
        // The registers of the crashed thread have a title too.
        guard !title.contains(" State") else { return false }
        if threads.last?.number != number || number == nil {
            threads.append(Crash.Thread(number: number, isCrashed: number == self.crashedNumber, frames: []))
        }
        let last = threads.count - 1
        if let name = title.dropping(" name:") {
            threads[last].name = name.trimmed.text.nonEmpty
            return false
        }
        if title.starts(with: " Crashed:".utf8) {
            if self.crashedNumber == nil, !threads.contains(where: \.isCrashed) { threads[last].isCrashed = true }
        }
        if let name = title.after("::") { threads[last].name = name.trimmed.text.nonEmpty ?? threads[last].name }
        return true
    }

    /// `NUMBER  IMAGE  ADDRESS FUNCTION + OFFSET (FILE:LINE)`, or `… ADDRESS BASE + OFFSET` without symbols.
    func frame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard let number = line.leadingDigits, let mark = line.range(of: "0x") else { return nil }
        let module = line[number.endIndex..<max(number.endIndex, mark.lowerBound)].trimmed
        let digits = line[mark.upperBound...].prefix { $0.hexValue != nil }
        guard !module.isEmpty, let address = digits.hexNumber else { return nil }
        var name = line[digits.endIndex...].trimmed
        var place: SourceLocation?
        if let rest = name.droppingSuffix(")"), let open = rest.lastRange(of: " (") {
            place = SourceLocation(rest[open.upperBound...])
            // `(in Shop)` is what symbolicators add.
            if place != nil || rest[open.upperBound...].starts(with: "in ".utf8) { name = name[..<open.lowerBound] }
        }
        let plus = name.lastRange(of: " + ")
        let offset = plus.flatMap { name[$0.upperBound...].decimalNumber }
        if let plus, offset != nil { name = name[..<plus.lowerBound] }
        let isBase = name.starts(with: "0x".utf8) || offset != nil && name.elementsEqual(module)
        let function = isBase ? nil : name.text.nonEmpty
        let image = module.text
        return Crash.Frame(
            function: function, file: place?.file, line: place?.line, column: place?.column, module: image,
            address: address, moduleOffset: isBase ? offset.flatMap { UInt64(exactly: $0) } : nil,
            isOwn: self.code.isOwn(path: self.paths[image] ?? image, function: function))
    }
}

/// The images in a crash report of Apple's systems: `BASE - END [+]NAME ARCHITECTURE or VERSION <UUID> PATH`.
enum AppleImageLines {
    static func images(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Image] {
        guard let start = lines.firstIndex(where: { $0.starts(with: "Binary Images:".utf8) }) else { return [] }
        var images: [Crash.Image] = []
        for line in lines[start...].dropFirst() {
            let line = line.trimmed
            guard let first = line.dropping("0x"), images.count < Crash.Bounds.imageCount else { break }
            guard let dash = first.range(of: " - "), let base = first[..<dash.lowerBound].trimmed.hexNumber,
                let end = first[dash.upperBound...].trimmed.dropping("0x")?.prefix(while: { $0.hexValue != nil }),
                let opening = line.range(of: "<"), let closing = line[opening.upperBound...].range(of: ">")
            else { continue }
            let name = line[min(end.endIndex, opening.lowerBound)..<opening.lowerBound].trimmed
            let path = line[closing.upperBound...].trimmed
            let file = path.isEmpty ? name.prefix { $0 > 0x20 } : path
            images.append(
                Crash.Image(
                    path: file.text, buildID: AppleNames.buildID(line[opening.upperBound..<closing.lowerBound].text),
                    baseAddress: base, endAddress: end.hexNumber.flatMap { $0 == .max ? nil : $0 + 1 }))
        }
        return images
    }
}
