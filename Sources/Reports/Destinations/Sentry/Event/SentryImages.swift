import Diagnosis

/// The files of code of a crashed process, as Sentry looks for their symbols (`debug_meta`).
///
/// Sentry finds a file by its debug id, and the frames in it by its range of addresses. So only files with a build id
/// and an address are listed.
struct SentryImages {
    private let images: [Crash.Image]
    private let indicesByPath: [String: Int]
    private let indicesByName: [String: Int]
    /// The indices in the order of the addresses.
    private let byAddress: [Int]
    private let isApple: Bool
    private let isOfWindows: Bool
    private let isBigEndian: Bool
    private let architecture: String?

    init(_ crash: Crash, _ format: SentryFormat) {
        let images = Self.completed(crash)
        self.images = images
        indicesByPath = Dictionary(images.enumerated().map { ($1.path, $0) }) { first, _ in first }
        indicesByName = Dictionary(images.enumerated().map { ($1.path.fileName, $0) }) { first, _ in first }
        byAddress = images.indices.filter { images[$0].baseAddress != nil }.sorted {
            (images[$0].baseAddress ?? 0, $0) < (images[$1].baseAddress ?? 0, $1)
        }
        let system = crash.system.name ?? ""
        isApple = format.platform == "cocoa" || Self.appleSystems.contains { system.contains($0) }
        isOfWindows = system.contains("Windows")
        architecture = SentryText.word(crash.system.architecture ?? "", 32) { $0.isASCII && $0 > " " }
        isBigEndian = Self.bigEndians.contains(crash.system.architecture ?? "")
    }

    private static let appleSystems = [
        "macOS", "OS X", "iOS", "iPhone", "iPad", "tvOS", "watchOS", "visionOS", "Darwin",
    ]
    private static let bigEndians: Set<String> = [
        "s390x", "s390", "ppc", "ppc64", "mips", "mips64", "sparc", "sparc64", "m68k", "parisc",
    ]

    /// The images of a crash. One without an address gets it from a frame that tells its own place in the image.
    private static func completed(_ crash: Crash) -> [Crash.Image] {
        var bases: [String: UInt64] = [:]
        for frame in crash.crashedThread?.frames ?? [] {
            guard let module = frame.module, let address = frame.address, let offset = frame.moduleOffset,
                offset <= address
            else { continue }
            bases[module] = address - offset
        }
        return crash.images.map { image in
            var image = image
            image.baseAddress = image.baseAddress ?? bases[image.path]
            return image
        }
    }

    /// The image that a frame is in: by its path, its address, or its name.
    func image(of frame: Crash.Frame) -> Crash.Image? {
        index(of: frame).map { images[$0] }
    }

    private func index(of frame: Crash.Frame) -> Int? {
        if let module = frame.module, let index = indicesByPath[module] { return index }
        if let address = frame.address, let index = index(at: address) { return index }
        return frame.module.flatMap { indicesByName[$0.fileName] }
    }

    /// The last image that begins at or before an address, unless it ends before it.
    private func index(at address: UInt64) -> Int? {
        var (low, high) = (0, byAddress.count)
        while low < high {
            let middle = (low + high) / 2
            if images[byAddress[middle]].baseAddress ?? 0 <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0, let end = images[byAddress[low - 1]].endAddress, address < end else { return nil }
        return byAddress[low - 1]
    }

    /// The list for Sentry, of so many images at most. Where there are more, those of the given frames are in it.
    /// Images of Windows are none, for Sentry gets those from a minidump.
    func json(of frames: [Crash.Frame], limit: Int) -> [JSONValue] {
        guard !isOfWindows else { return [] }
        var isSeen = Set<Int>()
        var list: [(index: Int, image: JSONValue)] = []
        for index in frames.compactMap(index) + Array(images.indices) where list.count < limit {
            guard isSeen.insert(index).inserted, let image = json(images[index]) else { continue }
            list.append((index, image))
        }
        return list.sorted { $0.index < $1.index }.map(\.image)
    }

    private func json(_ image: Crash.Image) -> JSONValue? {
        guard let base = image.baseAddress, let path = SentryText.line(image.path, SentryText.Limit.path),
            let identifiers = SentryDebugID(image.buildID, isApple: isApple, isBigEndian: isBigEndian)
        else { return nil }
        var object = JSONObject()
        object["type"] = .string(isApple ? "macho" : "elf")
        object["code_id"] = isApple ? nil : .string(identifiers.codeID)
        object["debug_id"] = .string(identifiers.debugID)
        object["code_file"] = .string(path)
        object["image_addr"] = SentryNumber.address(base)
        if let end = image.endAddress, end > base {
            object["image_size"] = Int64(exactly: end - base).map { .integer($0) }
        }
        object["arch"] = architecture.map { .string($0) }
        return .object(object)
    }
}

/// The identifiers by which Sentry finds the symbols of a file.
struct SentryDebugID: Hashable {
    /// The whole build id, in lower-case hexadecimal digits.
    let codeID: String
    /// A UUID with dashes.
    let debugID: String

    /// Makes the identifiers; `nil` for anything that is no build id.
    /// - Parameters:
    ///   - buildID: the build id of an ELF file, or the UUID of a Mach-O file, in hexadecimal digits.
    ///   - isApple: whether it is a UUID, which stays as it is.
    ///   - isBigEndian: whether the file is one of a processor that has the most significant byte first.
    init?(_ buildID: String?, isApple: Bool = false, isBigEndian: Bool = false) {
        guard let buildID, (isApple ? 32...32 : 2...128).contains(buildID.utf8.count), buildID.utf8.count % 2 == 0,
            buildID.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || 97...102 ~= $0 | 0x20 })
        else { return nil }
        codeID = buildID.lowercased()
        var bytes = (codeID + String(repeating: "0", count: 32)).pairs(16)
        // The first three parts of a UUID are numbers, which an ELF file has in the order of its processor.
        if !isApple, !isBigEndian {
            for part in [0..<4, 4..<6, 6..<8] { bytes[part].reverse() }
        }
        let parts = [bytes[..<4], bytes[4..<6], bytes[6..<8], bytes[8..<10], bytes[10...]]
        debugID = parts.map { $0.joined() }.joined(separator: "-")
    }
}

extension String {
    /// The first digits, two at a time.
    fileprivate func pairs(_ count: Int) -> [String] {
        var rest = self[...]
        return (0..<count).map { _ in
            defer { rest = rest.dropFirst(2) }
            return String(rest.prefix(2))
        }
    }

    /// What stands behind the last slash or backslash.
    var fileName: String {
        utf8.lastIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
            .map { String(self[index(after: $0)...]) } ?? self
    }
}
