/// A line of a stack as valgrind writes it in text, and whose code a frame of valgrind is.
enum ValgrindFrame {
    /// `   at 0x10A4A1: settle (misc.cpp:22)`, or `   by 0x10A4D2: main (in /srv/shop/bin/shopd)`.
    static func read(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard let rest = line.dropping("   at 0x") ?? line.dropping("   by 0x"), let colon = rest.range(of: ": "),
            let address = rest[..<colon.lowerBound].hexNumber
        else { return nil }
        var function = rest[colon.upperBound...]
        var location: SourceLocation?
        var module: String?
        if let inner = function.droppingSuffix(")"), let opening = inner.lastRange(of: " (") {
            let place = inner[opening.upperBound...]
            module = place.dropping("in ")?.text
            location = module == nil ? SourceLocation(place) : nil
            if module != nil || location != nil { function = function[..<opening.lowerBound] }
        }
        let name = FunctionName.plain(function)
        var frame = Crash.Frame(
            function: name, file: location?.file, line: location?.line, module: module, address: address,
            isOwn: self.isOwn(function: name, file: location?.file, module: module))
        // Valgrind subtracts one from the address to which a call returns.
        frame.isReturnAddress = false
        return frame
    }

    /// Valgrind puts functions of its own in the place of the allocator's and of those for strings.
    static func isOwn(function: String?, file: String?, module: String?) -> Bool {
        let isReplacement =
            file.map { $0.hasPrefix("vg_replace_") } == true
            || module.map { Array($0.utf8)[...].contains("/valgrind/vgpreload") } == true
        return !isReplacement && NativeOwnership.isOwn(function: function, file: file, module: module)
    }
}
