/// The registers of a processor as payloads write them, in text and in JSON.
enum RegisterValues {
    /// The registers in a line of pairs; none where the line begins with anything else.
    ///
    /// ```
    /// RAX=0x0000000000000000, RBX=0x00007f7224017ef0, R8 =0x000000000000002a
    ///     x0: 0x0000000000000000   x1: 0x000000010a8e3c20
    ///     x0  0000000000000000  x1  0000007b8c3d2c10
    /// ```
    static func all(in line: ArraySlice<UInt8>) -> [Crash.Register] {
        var registers: [Crash.Register] = []
        var rest = line
        while registers.count < Crash.Bounds.registerCount, let register = self.next(from: &rest) {
            registers.append(register)
        }
        return registers
    }

    /// The register that a line begins with, whatever stands behind it.
    static func first(in line: ArraySlice<UInt8>) -> Crash.Register? {
        var rest = line
        return self.next(from: &rest)
    }

    /// The registers of a section: the lines of pairs behind its title, up to the first other line.
    static func section(_ lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Register] {
        var registers: [Crash.Register] = []
        for line in lines.prefix(Crash.Bounds.registerCount) {
            let some = self.all(in: line)
            if some.isEmpty { break }
            registers += some
        }
        return Array(registers.prefix(Crash.Bounds.registerCount))
    }

    private static func next(from rest: inout ArraySlice<UInt8>) -> Crash.Register? {
        let text = rest.drop { $0.isBlank || $0 == UInt8(ascii: ",") }
        let name = text.prefix(9).prefix { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") }
        guard name.count <= 8, name.first?.isLetter == true else { return nil }
        let behind = text[name.endIndex...].drop { $0.isBlank || $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ":") }
        guard behind.startIndex > name.endIndex else { return nil }
        let value = behind.prefix { !$0.isBlank && $0 != UInt8(ascii: ",") }
        // A word without a mark is a number only in the width of a register.
        let isMarked = value.starts(with: "0x".utf8)
        guard isMarked || value.count == 8 || value.count == 16, let number = value.hexNumber else { return nil }
        rest = text[value.endIndex...]
        return Crash.Register(name: name.text.lowercased(), value: number)
    }

    /// The members of an object whose values are numbers: `"rax": "0x0000000200000003"`, `"x0": 4294967296`,
    /// `"lr": {"value": 4294967296}`, or `"x": [{"value": 1}, {"value": 2}]` for `x0` and `x1`.
    static func read(_ object: JSONValue?) -> [Crash.Register] {
        var registers: [Crash.Register] = []
        for member in object?.objectValue?.members ?? [] {
            if let list = member.value.arrayValue {
                for (index, value) in list.prefix(Crash.Bounds.registerCount).enumerated() {
                    registers += self.register("\(member.key)\(index)", value)
                }
            } else {
                registers += self.register(member.key, member.value)
            }
            if registers.count >= Crash.Bounds.registerCount { break }
        }
        return Array(registers.prefix(Crash.Bounds.registerCount))
    }

    private static func register(_ name: String, _ value: JSONValue) -> [Crash.Register] {
        let value = value["value"] ?? value
        // A number beyond 63 bits has lost its last digits as a double.
        if case .double = value { return [] }
        guard !name.isEmpty, name.utf8.count <= 16, let number = value.address else { return [] }
        return [Crash.Register(name: name.lowercased(), value: number)]
    }
}

extension Crash.Thread {
    /// Adds a register, unless it is known, or there are many.
    mutating func addRegister(_ register: Crash.Register) {
        guard self.registers.count < Crash.Bounds.registerCount,
            !self.registers.contains(where: { $0.name == register.name })
        else { return }
        self.registers.append(register)
    }
}
