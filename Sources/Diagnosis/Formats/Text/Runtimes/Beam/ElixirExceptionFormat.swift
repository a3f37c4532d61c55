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
            let rest = text.lines[place...]
            guard let title = rest.first?.dropping("** ("), let end = title.range(of: ")") else { continue }
            let type = title[..<end.lowerBound]
            guard !type.isEmpty, type.className() == type else { continue }
            let message = title[end.upperBound...].trimmed
            var exception = RaisedException(type: type.text, message: message.text.nonEmpty)
            let next = rest.dropFirst().prefix(RaisedException.maximumLineCount)
            guard let first = next.firstIndex(where: { BeamStack.elixirFrame($0) != nil }) else { continue }
            for line in rest[(place + 1)..<first] { exception.add(line) }
            exception.frames = rest[first...].frames(BeamStack.elixirFrame)
            return RuntimeCrash(
                format: "elixir-exception", subject: "elixir", runtime: Crash.Runtime(name: "Elixir"),
                cause: exception.cause, threads: [Crash.Thread(isCrashed: true, frames: exception.frames)], line: place
            ).finding(in: text)
        }
        return nil
    }
}
