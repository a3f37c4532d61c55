/// The crashed thread in a text of Swift's backtracer: its name, and the frame to begin with.
struct SwiftTextCrash {
    /// The name of the first thread that has one, which is the program's.
    private(set) var program: String?
    /// The place of the crash as the end of a sentence: ` in FUNCTION at FILE:LINE:COLUMN`, or nothing.
    private(set) var place = ""

    init(_ lines: PayloadLines) {
        var isCrashed = false
        var firstFrame: Frame?
        for line in lines {
            if let thread = line.dropping("Thread ") {
                if isCrashed { break }
                isCrashed = thread.contains("crashed")
                self.program = self.program ?? thread.between("\"", "\"")?.text
            } else if isCrashed, let frame = Frame(line) {
                firstFrame = firstFrame ?? frame
                guard frame.isOfProgram else { continue }
                firstFrame = frame
                break
            } else if line.starts(with: "Registers:".utf8) || line.starts(with: "Images (".utf8) {
                break
            }
        }
        self.place = firstFrame?.place ?? ""
    }

    /// One line of a stack: number, marks in brackets, maybe the address, function, image, and maybe a source location.
    private struct Frame {
        private let function: ArraySlice<UInt8>
        private let image: ArraySlice<UInt8>
        private let location: ArraySlice<UInt8>?
        private var isAdded = false

        init?(_ line: ArraySlice<UInt8>) {
            let line = line.trimmed
            // Excerpts of the source begin with a number too, but no blank follows it.
            guard let number = line.leadingDigits, number.endIndex < line.endIndex, line[number.endIndex] == 0x20 else {
                return nil
            }
            var rest = line[number.endIndex...].trimmed
            while rest.first == UInt8(ascii: "["), let end = rest.firstIndex(of: UInt8(ascii: "]")) {
                self.isAdded = self.isAdded || ["[system]", "[thunk]"].contains(rest[...end].text)
                rest = rest[(end + 1)...].trimmed
            }
            if rest.starts(with: "0x".utf8) { rest = rest.drop { $0 != 0x20 }.trimmed }
            guard let separator = rest.lastRange(of: " in ") else { return nil }
            self.function = rest[..<separator.lowerBound]
            let place = rest[separator.upperBound...]
            self.image = place.before(" at ") ?? place
            let location = place.after(" at ")?.lastPathComponent
            self.location = location.flatMap { $0.contains("<compiler-generated>") ? nil : $0 }
        }

        var isOfProgram: Bool {
            !self.isAdded && SwiftRuntime.isProgram(image: self.image.text, function: self.function.text)
        }

        var place: String {
            " in \(self.function.text)" + (self.location.map { " at \($0.text)" } ?? "")
        }
    }
}
