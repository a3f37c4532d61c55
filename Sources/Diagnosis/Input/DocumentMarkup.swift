/// Tells documents and programs, which have crashes as examples or as their messages, from the output of programs.
enum DocumentMarkup {
    /// What manuals begin with, in lower case: comments and titles of roff, HTML, and Texinfo.
    private static let beginnings = [
        ".\\\"", "'\\\"", ".th ", ".dd ", ".de ", ".so ", "<!doctype html", "<html", "\\input texinfo",
    ]

    /// Whether the payload begins as a document of some markup language or as a program does. Nothing writes that to its
    /// standard error before it crashes.
    static func isDocument(_ window: PayloadWindow) -> Bool {
        if window.head.starts(with: [0x7f, 0x45, 0x4c, 0x46]) || window.hasPrefix("!<arch>\n") { return true }
        // A declaration of XML may stand before the document.
        let isXML = window.title.starts(with: "<?xml".utf8)
        let title = isXML ? window.head.after("?>")?.drop { $0 <= 0x20 } : window.title
        let lowered = (title ?? []).prefix(32).map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }[...]
        return self.beginnings.contains { lowered.starts(with: $0.utf8) }
    }

    /// The lines between two fences of Markdown, which begin with three backquotes. A fence that nothing closes has no
    /// meaning.
    static func examples(in lines: [ArraySlice<UInt8>]) -> IndexSet {
        var ranges = IndexSet()
        var opening: Int?
        for (index, line) in lines.enumerated() where line.first == UInt8(ascii: "`") {
            guard line.starts(with: "```".utf8) else { continue }
            if let start = opening {
                // Only the fence that opens may name a language.
                guard line.trimmed.count == 3 else { continue }
                ranges.append(start..<index)
                opening = nil
            } else {
                opening = index
            }
        }
        return ranges
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
