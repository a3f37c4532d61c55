/// The frames in a report of Swift's backtracer.
struct SwiftBacktraceFrames {
    private let images: [String: (path: String, base: UInt64?)]
    private let table: ImageTable
    private let program: String?

    init(images: [JSONValue], table: ImageTable, program: String?) {
        var known: [String: (path: String, base: UInt64?)] = [:]
        for image in images {
            guard let name = image["name"]?.stringValue, known[name] == nil else { continue }
            known[name] = (image["path"]?.stringValue?.nonEmpty ?? name, image["baseAddress"]?.address)
        }
        self.images = known
        self.table = table
        self.program = program
    }

    func frame(_ frame: JSONValue) -> Crash.Frame? {
        switch frame["kind"]?.stringValue {
        case "truncated": return nil
        case "omittedFrames": return .omission(of: frame["count"]?.integerValue ?? 0)
        default: break
        }
        let function = frame["description"]?.stringValue?.nonEmpty ?? frame["symbol"]?.stringValue?.nonEmpty
        let address = frame["address"]?.address
        // Where the backtracer was told not to look for symbols, a frame is an address and nothing else.
        let found = frame["image"] == nil ? address.flatMap(self.table.image) : nil
        let imageName = frame["image"]?.stringValue?.nonEmpty ?? found?.path.lastPathComponent.nonEmpty
        let image = imageName.flatMap { self.images[$0] }
        var result = Crash.Frame(
            function: function.map(Self.withoutOffset), module: image?.path ?? imageName, address: address,
            isOwn: self.isOwn(frame, function: function ?? "", imageName: imageName ?? "", path: image?.path ?? ""))
        if let address, let base = image?.base, base <= address { result.moduleOffset = address - base }
        self.addSymbol(of: frame, to: &result)
        let location = frame["sourceLocation"]
        if let file = location?["file"]?.stringValue?.nonEmpty, !file.hasSuffix("<compiler-generated>") {
            result.file = file
            result.line = location?["line"]?.integerValue.flatMap { $0 > 0 ? $0 : nil }
            result.column = location?["column"]?.integerValue.flatMap { $0 > 0 ? $0 : nil }
        }
        return result
    }

    /// How many calls a frame stands for.
    func callCount(_ frame: JSONValue) -> Int {
        switch frame["kind"]?.stringValue {
        case "truncated": 0
        case "omittedFrames": self.frame(frame)?.callCount ?? 0
        default: 1
        }
    }

    /// What only the linker and those who look for symbols want to know.
    private func addSymbol(of frame: JSONValue, to result: inout Crash.Frame) {
        result.isReturnAddress = frame["kind"]?.stringValue == "returnAddress"
        result.isInlined = frame["inlined"]?.boolValue == true
        result.symbol = frame["symbol"]?.stringValue?.nonEmpty.flatMap { $0 == result.function ? nil : $0 }
        let offset = frame["offset"]?.integerValue.flatMap { UInt64(exactly: $0) }
        result.symbolAddress = offset.flatMap { SwiftRuntime.symbolAddress(of: result, offset: $0) }
    }

    /// Whether somebody who looks for the fault would begin here, and not in what the compiler or the runtime added.
    private func isOwn(_ frame: JSONValue, function: String, imageName: String, path: String) -> Bool {
        for mark in ["system", "thunk", "runtimeFailure"] where frame[mark]?.boolValue == true { return false }
        guard !imageName.isEmpty || !function.isEmpty else { return false }
        guard SwiftRuntime.isProgram(image: imageName, function: function) else { return false }
        if imageName == self.program { return true }
        return !SystemDirectories.hold(path)
    }

    /// `level3(_:) + 295` without the number.
    static func withoutOffset(_ description: String) -> String {
        let text = description.utf8
        guard text.last?.isDigit == true, let blank = text.lastIndex(where: { !$0.isDigit }) else { return description }
        let function = text[...blank]
        return function.suffix(3).elementsEqual(" + ".utf8) ? String(function.dropLast(3)) ?? description : description
    }
}
