extension Crash {
    /// Tells the crash in one sentence: the program, the cause with its message, and where it happened.
    ///
    /// - Parameter subject: stands in the program's place when the payload does not name the program.
    /// - Returns: a sentence of any length, with the payload's own characters.
    package func summary(subject: String? = nil) -> String {
        var sentence = self.subject(orElse: subject).map { "\($0): " } ?? ""
        sentence += self.cause.sentence
        if let place = self.place { sentence += place.place }
        return sentence
    }

    /// The program with its process, as `NAME[NUMBER]`.
    package func subject(orElse other: String? = nil) -> String? {
        let process = self.process.map { "[\($0)]" } ?? ""
        guard let name = self.program?.nonEmpty ?? other else { return process.nonEmpty }
        return name + process
    }
}

extension Crash.Cause {
    /// The type and the first line of the message.
    package var sentence: String {
        let lines = self.message?.unicodeScalars.drop(while: \.isNewline)
        let firstLine = lines.map { String($0.prefix { !$0.isNewline }) }?.nonEmpty
        return firstLine.map { "\(self.type): \($0)" } ?? self.type
    }
}

extension Crash.Frame {
    /// The end of a sentence: ` in FUNCTION at FILE:LINE`, without what is not known.
    package var place: String {
        let function = self.function.map { " in \($0)" } ?? ""
        guard let file = self.file?.lastPathComponent.nonEmpty else { return function }
        let line = self.line.map { ":\($0)" } ?? ""
        return "\(function) at \(file)\(line)"
    }
}
