/// An exception that ended an Elixir script or one of its processes.
///
/// ```
/// ** (KeyError) key :price not found in: %{name: "tea"}
///     (till 0.1.0) lib/till/cart.ex:12: Till.Cart.total/1
///     (elixir 1.17.3) lib/enum.ex:2531: Enum."-reduce/3-lists^foldl/2-0-"/3
///     till.exs:6: (file)
/// ```
/// Source: `Exception.format` of Elixir.
enum ElixirExceptionFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("** (")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.reversed() {
            guard let (outer, message) = self.title(text.lines[place]) else { continue }
            // A process that ended by an exception: the exception stands below.
            let isExit = message.elementsEqual("an exception was raised:".utf8)
            let start = isExit ? place + 1 : place
            let rest = text.lines[min(start, text.lines.count)...]
            guard let (type, words) = isExit ? rest.first.flatMap({ self.title($0.trimmed) }) : (outer, message),
                !type.isEmpty, type.className() == type
            else { continue }
            var exception = RaisedException(type: type.text, message: words.text.nonEmpty)
            let next = rest.dropFirst().prefix(RaisedException.maximumLineCount)
            guard let first = next.firstIndex(where: { BeamStack.elixirFrame($0) != nil }) else { continue }
            for line in rest[(start + 1)..<first] { exception.add(line) }
            exception.frames = rest[first...].frames(BeamStack.elixirFrame)
            // Of `EXIT from #PID<0.98.0>` the script dies; of `exit` only a process within it, as of each request.
            let isLogged = isExit && outer.elementsEqual("exit".utf8)
            return RuntimeCrash(
                format: "elixir-exception", subject: "elixir", runtime: Crash.Runtime(name: "Elixir"),
                cause: exception.cause, threads: [Crash.Thread(isCrashed: true, frames: exception.frames)],
                kind: isLogged ? .diagnostic : .crash, line: place
            ).finding(in: text)
        }
        return nil
    }

    /// The class and the message in `** (CLASS) MESSAGE`.
    private static func title(_ line: ArraySlice<UInt8>) -> (type: ArraySlice<UInt8>, message: ArraySlice<UInt8>)? {
        guard let title = line.dropping("** ("), let end = title.range(of: ")") else { return nil }
        return (title[..<end.lowerBound], title[end.upperBound...].trimmed)
    }
}
