/// Times and records of collectors that differ from the common forms.
extension LineScanner {
    /// `Sat 2026-11-28 08:21:40 CET `, as journalctl writes times in full.
    mutating func takeFullTime() -> Bool {
        self.takeAll {
            guard $0.takeWeekday(), $0.accept(0x20), $0.takeDate(end: 0x20), $0.takeTimeOfDay(), $0.accept(0x20) else {
                return false
            }
            return $0.takeWord() != nil
        }
    }

    /// `2026-11-28 08:21:39,114 ` or `2026/11/28 08:21:39 `, as programs write times themselves.
    mutating func takePlainTime() -> Bool {
        self.takeAll {
            let slash = UInt8(ascii: "/")
            guard $0.takeDate(end: 0x20) || $0.takeDate(separator: slash, end: 0x20), $0.takeTimeOfDay() else {
                return false
            }
            $0.skipZone()
            return $0.accept(0x20)
        }
    }

    /// `[2026-11-28 08:21:39] `, `[28-Nov-2026 08:21:39 UTC] ` of PHP, and `[Sat Nov 28 08:21:39.123456 2026] ` of
    /// Apache's server with the module, process and client behind it.
    mutating func takeBracketedTime() -> Bool {
        guard self.rest.first == UInt8(ascii: "[") else { return false }
        return self.takeAll {
            guard $0.accept(UInt8(ascii: "[")) else { return false }
            if $0.takeDate(end: 0x20) || $0.takeDate(end: UInt8(ascii: "T")) {
                guard $0.takeTimeOfDay() else { return false }
                $0.skipZone()
                return $0.accept("] ")
            }
            if $0.takeDateOfPHP() { return true }
            guard $0.takeWeekday(), $0.accept(0x20), $0.takeMonth(), $0.accept(0x20), $0.takeDigits(2...2),
                $0.accept(0x20)
            else { return false }
            let second = $0.rest.startIndex + 8
            // Without a fraction it is a time of `dmesg -T`.
            guard $0.takeTimeOfDay(), $0.rest.startIndex > second, $0.accept(0x20), $0.takeDigits(4...4),
                $0.accept("] ")
            else { return false }
            while $0.rest.first == UInt8(ascii: "["), let end = $0.rest.prefix(256).range(of: "] ") {
                $0.accept(to: end.upperBound)
            }
            return true
        }
    }

    private mutating func takeDateOfPHP() -> Bool {
        self.takeAll {
            let dash = UInt8(ascii: "-")
            guard $0.takeDigits(2...2), $0.accept(dash), $0.takeMonth(), $0.accept(dash), $0.takeDigits(4...4),
                $0.accept(0x20), $0.takeTimeOfDay()
            else { return false }
            // A name such as `Europe/Berlin`.
            $0.accept(to: $0.rest.prefix(64).prefix { $0 != UInt8(ascii: "]") }.endIndex)
            return $0.accept("] ")
        }
    }

    /// `JOB<tab>STEP<tab>`, which `gh run view --log` writes before each line.
    mutating func takeJobAndStep() -> Bool {
        self.takeAll { scanner in
            for _ in 0..<2 {
                guard let tab = scanner.rest.prefix(256).firstIndex(of: 0x09) else { return false }
                scanner.accept(to: tab + 1)
            }
            return scanner.rest.first?.isDigit == true
        }
    }

    /// `#12 1.234 `: the step of `docker build`, and the seconds since its start.
    mutating func takeBuildStep() -> Bool {
        self.takeAll {
            $0.accept(UInt8(ascii: "#")) && $0.takeDigits(1...4) && $0.accept(0x20) && $0.takeDigits(1...6)
                && $0.accept(UInt8(ascii: ".")) && $0.takeDigits(3...3) && ($0.accept(0x20) || $0.rest.isEmpty)
        }
    }

    /// The stream of CRI, and whether the line is cut there: `stderr F `.
    mutating func takeStream() -> Bool {
        self.takeAll {
            guard $0.accept("stderr ") || $0.accept("stdout "), $0.accept("F") || $0.accept("P") else { return false }
            return $0.accept(0x20) || $0.rest.isEmpty
        }
    }

    /// The data of RFC 5424 and a blank: `- `, or elements in brackets, whose values may hold quoted brackets.
    mutating func skipStructuredData() {
        if self.accept("- ") { return }
        var isQuoted = false
        var isEscaped = false
        var depth = 0
        for index in self.rest.indices {
            let byte = self.rest[index]
            if isEscaped {
                isEscaped = false
            } else if isQuoted {
                isEscaped = byte == UInt8(ascii: "\\")
                isQuoted = byte != UInt8(ascii: "\"")
            } else if byte == UInt8(ascii: "[") {
                depth += 1
            } else if depth == 0 {
                // Heroku leaves the data out.
                if byte == 0x20, index > self.rest.startIndex { self.accept(to: index + 1) }
                return
            } else if byte == UInt8(ascii: "]") {
                depth -= 1
            } else {
                isQuoted = byte == UInt8(ascii: "\"")
            }
        }
    }

    /// What the kernel or `dmesg` writes before a line:
    /// `[  812.604301] `, with the processor or thread `[  812.604301][    C1] `; `[Sat Nov 28 08:13:04 2026] `;
    /// `[Nov28 08:13] ` and `[  +0.000005] `; any of them behind `kern  :err   : `; and `/dev/kmsg` itself,
    /// `6,339,5140900,-;`.
    mutating func takeKernelRecord() -> Bool {
        guard let first = self.rest.first else { return false }
        if first.isDigit { return self.takeAll { $0.takeRawRecord() } }
        return self.takeAll {
            if first != UInt8(ascii: "[") {
                guard $0.takeFacilityAndLevel() else { return false }
            }
            guard $0.accept(UInt8(ascii: "[")) else { return false }
            guard $0.takeUptime() || $0.takeDateOfKernel(), $0.accept(UInt8(ascii: "]")) else { return false }
            _ = $0.takeAll {
                guard $0.accept(UInt8(ascii: "[")) else { return false }
                $0.skipBlanks()
                return ($0.accept("C") || $0.accept("T")) && $0.takeDigits(1...10) && $0.accept(UInt8(ascii: "]"))
            }
            return $0.accept(0x20) || $0.rest.isEmpty
        }
    }

    private mutating func takeUptime() -> Bool {
        self.takeAll {
            $0.skipBlanks()
            _ = $0.accept(UInt8(ascii: "+"))
            return $0.takeDigits(1...10) && $0.accept(UInt8(ascii: ".")) && $0.takeDigits(6...6)
        }
    }

    private mutating func takeDateOfKernel() -> Bool {
        self.takeAll {
            let hasWeekday = $0.takeWeekday() && $0.accept(0x20)
            guard $0.takeMonth() else { return false }
            $0.skipBlanks()
            guard $0.takeDigits(1...2), $0.accept(0x20) else { return false }
            if hasWeekday { return $0.takeTimeOfDay() && $0.accept(0x20) && $0.takeDigits(4...4) }
            return $0.takeDigits(2...2) && $0.accept(UInt8(ascii: ":")) && $0.takeDigits(2...2)
        }
    }

    private mutating func takeFacilityAndLevel() -> Bool {
        guard self.accept("kern") || self.accept("user") || self.accept("daemon") else { return false }
        self.skipBlanks()
        guard self.accept(UInt8(ascii: ":")) else { return false }
        let level = self.rest.prefix(8).prefix(while: \.isLetter)
        self.accept(to: level.endIndex)
        self.skipBlanks()
        return !level.isEmpty && self.accept(": ")
    }

    private mutating func takeRawRecord() -> Bool {
        let comma = UInt8(ascii: ",")
        guard self.takeDigits(1...3), self.accept(comma), self.takeDigits(1...19), self.accept(comma),
            self.takeDigits(1...19), self.accept(comma), self.accept("-") || self.accept("c") || self.accept("+"),
            self.rest.first == UInt8(ascii: ";") || self.rest.first == comma,
            let end = self.rest.prefix(32).firstIndex(of: UInt8(ascii: ";"))
        else { return false }
        self.accept(to: end + 1)
        return true
    }

    /// `web-1  | ` of `docker compose logs`, `0|app  | ` of pm2, `08:21:40 web.1  | ` of foreman: a name, blanks, a bar.
    mutating func takeServiceName() -> ByteView? {
        var copy = self
        if copy.takeTimeOfDay() { _ = copy.accept(0x20) }
        _ = copy.takeAll { $0.takeDigits(1...4) && $0.accept(UInt8(ascii: "|")) }
        let name = copy.rest.prefix(128).prefix {
            $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "@")
        }
        guard let first = name.first, first.isLetter || first.isDigit else { return nil }
        copy.accept(to: name.endIndex)
        copy.skipBlanks()
        guard copy.rest.startIndex > name.endIndex, copy.accept("| ") || copy.accept("|") && copy.rest.isEmpty else {
            return nil
        }
        self = copy
        return name
    }
}
