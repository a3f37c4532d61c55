/// The name of a function as a stack has it, without what differs from call to call.
enum FunctionName {
    /// Without an offset into the function (`+0x1a`, ` + 26`), and `nil` where the writer knew no name.
    static func plain(_ text: ArraySlice<UInt8>) -> String? {
        var name = text.trimmed
        if let plus = name.lastRange(of: "+0x"), name[plus.upperBound...].hexNumber != nil {
            name = name[..<plus.lowerBound].trimmed
        }
        if let plus = name.lastRange(of: " + "), name[plus.upperBound...].decimalNumber != nil {
            name = name[..<plus.lowerBound].trimmed
        }
        let isUnknown = self.unknown.contains { name.elementsEqual($0.utf8) }
        return isUnknown ? nil : name.text.nonEmpty
    }

    private static let unknown = ["??", "(unknown)", "<unknown>", "<null>", "<unavailable>", "<unknown module>", "???"]
}
