/// Tells documents and programs, which have crashes as examples or as their messages, from the output of programs.
enum DocumentMarkup {
    /// What manuals and programs begin with, in lower case: comments and titles of roff, HTML, and Texinfo; scripts,
    /// C, and changes to sources.
    private static let beginnings = [
        ".\\\"", "'\\\"", ".th ", ".dd ", ".de ", ".so ", "<!doctype html", "<html", "\\input texinfo", "#!/", "#! /",
        "#include ", "diff --git ",
    ]

    /// Whether the payload begins as a document of some markup language or as a program does. Nothing writes that to its
    /// standard error before it crashes.
    static func isDocument(_ window: PayloadWindow) -> Bool {
        if window.head.starts(with: [0x7f, 0x45, 0x4c, 0x46]) || window.hasPrefix("!<arch>\n") { return true }
        if window.name.isOfSource { return true }
        // A declaration of XML may stand before the document.
        let isXML = window.title.starts(with: "<?xml".utf8)
        let title = isXML ? window.head.after("?>")?.drop { $0 <= 0x20 } : window.title
        let lowered = (title ?? []).prefix(32).map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }[...]
        return self.beginnings.contains { lowered.starts(with: $0.utf8) }
    }

    /// The lines between two fences of Markdown or AsciiDoc. A fence that nothing closes has no meaning.
    static func examples(in lines: [ArraySlice<UInt8>]) -> IndexSet {
        var ranges = IndexSet()
        var opening: (index: Int, fence: ArraySlice<UInt8>)?
        for (index, line) in lines.enumerated() {
            guard let fence = self.fence(line) else { continue }
            if let open = opening {
                // Only the fence that opens may name a language.
                guard line.trimmed.elementsEqual(open.fence) else { continue }
                ranges.append(open.index..<index)
                opening = nil
            } else if fence.count == 3 || index > 0 && lines[index - 1].starts(with: "[source".utf8) {
                opening = (index, fence)
            }
        }
        return ranges
    }

    /// What a fence begins with: three backquotes or tildes in Markdown, four dashes or dots in AsciiDoc.
    private static func fence(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let first = line.first else { return nil }
        switch first {
        case UInt8(ascii: "`"), UInt8(ascii: "~"):
            let fence = line.prefix(3)
            return fence.count == 3 && fence.allSatisfy { $0 == first } ? fence : nil
        case UInt8(ascii: "-"), UInt8(ascii: "."):
            let fence = line.trimmed
            return fence.count == 4 && fence.allSatisfy { $0 == first } ? fence : nil
        default:
            return nil
        }
    }

    /// Ascending ranges of lines.
    struct IndexSet {
        private var ranges: [Range<Int>] = []

        var isEmpty: Bool { self.ranges.isEmpty }

        mutating func append(_ range: Range<Int>) { self.ranges.append(range) }

        func contains(_ index: Int) -> Bool {
            var low = 0
            var high = self.ranges.count
            while low < high {
                let middle = (low + high) / 2
                if self.ranges[middle].upperBound <= index { low = middle + 1 } else { high = middle }
            }
            return low < self.ranges.count && self.ranges[low].contains(index)
        }
    }
}
