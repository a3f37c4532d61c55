import SystemPackage

/// The command line as bytes: file names need not be UTF-8, and Swift's `String` arguments have been repaired.
struct RawArguments {
    private var bytesOf: [String: [[CChar]]] = [:]

    init() {
        for start in GivenWords.raw {
            let text = String(cString: start)
            var bytes: [CChar] = []
            var next = start
            while next.pointee != 0 {
                bytes.append(next.pointee)
                next += 1
            }
            bytesOf[text, default: []].append(bytes + [0])
        }
    }

    /// The path that an argument was before it was repaired. Two that look alike after it are taken in their order.
    mutating func path(_ argument: String) -> FilePath {
        guard let first = bytesOf[argument]?.first else { return FilePath(argument) }
        if bytesOf[argument].map({ $0.count > 1 }) == true { bytesOf[argument]?.removeFirst() }
        return first.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { FilePath(platformString: $0) } ?? FilePath(argument)
        }
    }
    /// The bytes of an option's value, before it was repaired.
    func bytes(of value: String, option: String) -> [UInt8] {
        let joined = "\(option)=\(value)"
        if let bytes = bytesOf[joined]?.first {
            return bytes.dropFirst(option.utf8.count + 1).dropLast().map { UInt8(bitPattern: $0) }
        }
        guard let bytes = bytesOf[value]?.first else { return Array(value.utf8) }
        return bytes.dropLast().map { UInt8(bitPattern: $0) }
    }
}
