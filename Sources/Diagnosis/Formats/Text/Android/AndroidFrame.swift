/// A frame of native code on Android:
/// `#00 pc 000000000004c2d8  /data/app/…/libshop.so (till_open(Till*)+24) (BuildId: 0f6d2f7e58a13d77)`.
enum AndroidFrame {
    static func frame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard let number = line.dropping("#")?.leadingDigits,
            let rest = line[number.endIndex...].trimmed.dropping("pc ")
        else { return nil }
        let digits = rest.prefix { $0 > 0x20 }
        guard let offset = digits.hexNumber else { return nil }
        var text = rest[digits.endIndex...].trimmed
        if let build = text.range(of: " (BuildId: ") { text = text[..<build.lowerBound] }
        // A library that lies within a package is named behind the package, and its place there in brackets.
        var function: ArraySlice<UInt8>?
        if let open = self.functionBeginning(in: text) {
            let name = text[open.upperBound...]
            let plain = name.droppingSuffix(")") ?? name
            function = plain.lastRange(of: "+").map { plain[..<$0.lowerBound] } ?? plain
            text = text[..<open.lowerBound]
        }
        if let place = text.range(of: " (offset ") { text = text[..<place.lowerBound] }
        let path = text.trimmed
        return Crash.Frame(
            function: function?.text.nonEmpty, module: path.text.nonEmpty, moduleOffset: offset,
            isOwn: self.isOwn(path, function: function))
    }

    /// Where the function begins: behind the path, and behind the place in the package if there is one.
    private static func functionBeginning(in text: ArraySlice<UInt8>) -> Range<Int>? {
        guard let first = text.range(of: " (") else { return nil }
        guard text[first.upperBound...].starts(with: "offset ".utf8) else { return first }
        return text[first.upperBound...].range(of: " (")
    }

    private static let systemDirectories = [
        "/system/", "/system_ext/", "/apex/", "/vendor/", "/product/", "/odm/", "/data/dalvik-cache/",
        "/data/misc/apexdata/",
        "[", "<", "/dev/", "/memfd:",
    ]

    private static func isOwn(_ path: ArraySlice<UInt8>, function: ArraySlice<UInt8>?) -> Bool {
        let name = path.after("!") ?? path.lastPathComponent
        if name.elementsEqual("libc++_shared.so".utf8) || path.isEmpty { return false }
        if self.systemDirectories.contains(where: { path.starts(with: $0.utf8) }) { return false }
        guard let function else { return true }
        return !function.starts(with: "abort".utf8) && !function.starts(with: "__".utf8)
            && !function.starts(with: "std::".utf8)
    }
}

/// The libraries of a tombstone whose build ids it tells: in its memory map, or else in its frames.
enum AndroidImages {
    static func images(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Image] {
        var images: [Crash.Image] = []
        var known: [String: Int] = [:]
        for line in lines where images.count < Crash.Bounds.imageCount {
            guard let build = line.between("(BuildId: ", ")")?.text.nonEmpty else { continue }
            let text = line.trimmed
            let mapping = self.mapping(text)
            guard let path = mapping?.path ?? AndroidFrame.frame(text)?.module else { continue }
            let index = known[path] ?? images.count
            if index == images.count {
                known[path] = index
                images.append(Crash.Image(path: path, buildID: build))
            }
            // A library that a frame has named gets its address from the first of its mappings.
            if let mapping, images[index].baseAddress == nil {
                images[index].baseAddress = mapping.base
                images[index].endAddress = mapping.last == .max ? nil : mapping.last + 1
            }
        }
        return images
    }

    /// `0000005b'1a2c0000-0000005b'1a2c0fff r-x …  /system/bin/app_process64 (BuildId: …)`.
    private static func mapping(_ text: ArraySlice<UInt8>) -> (base: UInt64, last: UInt64, path: String)? {
        let range = text.prefix { $0 > 0x20 }.filter { $0 != UInt8(ascii: "'") }[...]
        guard let dash = range.firstIndex(of: UInt8(ascii: "-")), let base = range[..<dash].hexNumber,
            let last = range[(dash + 1)...].hexNumber, let slash = text.range(of: " /"),
            let path = text[(slash.upperBound - 1)...].before(" (BuildId")
        else { return nil }
        return (base, last, path.text)
    }
}
