/// An error that ended a program in Julia.
///
/// ```
/// ERROR: LoadError: BoundsError: attempt to access 3-element Vector{Int64} at index [7]
/// Stacktrace:
///  [1] getindex(A::Vector{Int64}, i1::Int64)
///    @ Base ./essentials.jl:13
///  [2] settle(id::Int64)
///    @ Main /srv/till/till.jl:12
/// ```
/// Source: `base/errorshow.jl`.
enum JuliaErrorFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("ERROR: ")]

    static let words = ["Stacktrace:"]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            let following = text.lines[(place + 1)...].prefix(TextBounds.messageLineCount)
            guard var words = text.lines[place].dropping("ERROR: "),
                let start = following.firstIndex(where: { $0.elementsEqual("Stacktrace:".utf8) })
            else { continue }
            let frames = self.frames(in: text.lines[(start + 1)...])
            guard !frames.isEmpty else { continue }
            words = words.dropping("LoadError: ") ?? words
            let type = words.prefix { $0.isLetter || $0.isDigit || $0 == 0x5f }
            let message = words[type.endIndex...].dropping(": ")
            var crash = Crash(
                program: text.origin?.name, process: text.origin?.process,
                cause: Crash.Cause(
                    type: message == nil ? "ErrorException" : type.text, message: (message ?? words).text))
            crash.runtime = Crash.Runtime(name: "Julia")
            crash.threads = [Crash.Thread(isCrashed: true, frames: frames)]
            return TextFinding(crash, format: "julia-error", subject: "julia", severity: .exception, line: place)
        }
        return nil
    }

    private static func frames(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        var frames: [Crash.Frame] = []
        for line in lines.prefix(TextBounds.frameCount) {
            let line = line.trimmed
            if let place = line.dropping("@ "), let last = frames.indices.last {
                let module = place.prefix { !$0.isBlank }
                let location = SourceLocation(place[module.endIndex...])
                frames[last].module = module.text
                frames[last].file = location?.file
                frames[last].line = location?.line
                frames[last].isOwn =
                    !["Base", "Core"].contains(module.text)
                    && location?.file.contains("/.julia/packages/") != true
            } else if let digits = line.dropping("[")?.leadingDigits,
                let name = line[digits.endIndex...].dropping("] ")
            {
                let function = name.prefix { $0 != UInt8(ascii: "(") }
                frames.append(Crash.Frame(function: function.trimmed.text, isOwn: true))
            } else {
                break
            }
        }
        return frames
    }
}
