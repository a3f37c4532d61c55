/// A line of a stack in a HotSpot report: the kind of the code, and the function.
///
/// ```
/// V  [libjvm.so+0xed27f4]  Unsafe_PutInt+0x124
/// C  [libshop.so+0x1139]  Java_com_shop_Till_open+0x9
/// j  com.shop.Till.main([Ljava/lang/String;)V+21
/// J 1234 c2 java.util.HashMap.get(Ljava/lang/Object;)Ljava/lang/Object; java.base@17.0.15 (23 bytes) @ 0x… [0x…+0x…]
/// v  ~StubRoutines::call_stub
/// ```
enum HotSpotFrame {
    /// - Parameters:
    ///   - line: the line.
    ///   - paths: the paths of libraries by their names.
    /// - Returns: `nil` for a line that is no frame.
    static func frame(_ line: ArraySlice<UInt8>, paths: [String: String]) -> Crash.Frame? {
        guard let kind = line.first, line.dropFirst().first == 0x20 else { return nil }
        let text = line.dropFirst().trimmed
        switch kind {
        case UInt8(ascii: "V"), UInt8(ascii: "C"): return self.native(text, paths: paths)
        case UInt8(ascii: "j"), UInt8(ascii: "J"), UInt8(ascii: "A"): return self.java(text)
        case UInt8(ascii: "v"):
            return Crash.Frame(function: (text.dropping("~") ?? text).prefix { $0 > 0x20 }.text.nonEmpty, isOwn: false)
        default: return nil
        }
    }

    private static func native(_ text: ArraySlice<UInt8>, paths: [String: String]) -> Crash.Frame? {
        guard let image = text.dropping("["), let end = image.range(of: "]"),
            let plus = image[..<end.lowerBound].lastRange(of: "+0x")
        else {
            // A place in no library: an address alone.
            return text.prefix { $0 > 0x20 }.hexNumber.map { Crash.Frame(address: $0, isOwn: false) }
        }
        let module = image[..<plus.lowerBound].text
        var name = image[end.upperBound...].trimmed
        // Debug information gives the source's file and line at the end.
        var place: SourceLocation?
        if let rest = name.droppingSuffix(")"), let open = rest.lastRange(of: " (") {
            place = SourceLocation(rest[open.upperBound...])
            if place != nil { name = name[..<open.lowerBound].trimmed }
        }
        if let offset = name.lastRange(of: "+0x") { name = name[..<offset.lowerBound] }
        let path = paths[module] ?? module
        return Crash.Frame(
            function: name.text.nonEmpty, file: place?.file, line: place?.line, module: path,
            moduleOffset: image[plus.upperBound..<end.lowerBound].hexNumber,
            isOwn: !self.isOfMachine(path) && NativeOwnership.isOwn(function: name.text.nonEmpty, module: path))
    }

    /// Whether a library is one of the machine's own.
    private static func isOfMachine(_ path: String) -> Bool {
        self.libraries.contains(path.lastPathComponent) || path.hasSuffix(".dll")
            || Array(path.utf8)[...].contains("/jvm/") || Array(path.utf8)[...].contains("/jre/lib/")
    }

    private static let libraries: Set<String> = [
        "libjvm.so", "libjli.so", "libjava.so", "libnio.so", "libnet.so", "libzip.so", "libverify.so", "libawt.so",
        "libjimage.so", "libmanagement.so", "libinstrument.so", "libjdwp.so", "libfontmanager.so", "libextnet.so",
        "libprefs.so", "libjsig.so", "libattach.so", "libmlib_image.so", "libawt_xawt.so", "java", "libjvm.dylib",
        "libjli.dylib", "libjava.dylib", "libnio.dylib", "libnet.dylib", "libzip.dylib",
    ]

    /// `[NUMBER COMPILER ]CLASS.METHOD(ARGUMENTS)RESULT[+OFFSET] [MODULE] …`.
    private static func java(_ text: ArraySlice<UInt8>) -> Crash.Frame? {
        guard let opening = text.firstIndex(of: UInt8(ascii: "(")) else { return nil }
        let start = text[..<opening].lastIndex(of: 0x20).map { $0 + 1 } ?? text.startIndex
        let function = text[start..<opening]
        guard !function.isEmpty, function.contains(UInt8(ascii: ".")) else { return nil }
        let module = text[opening...].split(separator: 0x20).prefix(4).first {
            $0.contains(UInt8(ascii: "@")) && $0.count > 1
        }
        let name = module?.before("@")
        return Crash.Frame(
            function: function.text, module: name?.text, isOwn: JavaStack.isOwn(function: function, module: name))
    }
}
