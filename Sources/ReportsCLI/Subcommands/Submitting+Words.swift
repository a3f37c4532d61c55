import Reports

extension Submitting {
    /// Understands a command line as timers, units and scripts have it: options by their full names, each once but for
    /// `--header`, its value in the next word or behind `=`.
    ///
    /// The argument parser takes 5 ms to look at a command's options by reflection, which is more than all else that a
    /// `submit` with nothing to do takes. Whatever is not plain, or not right, is left to it, which explains.
    /// - Parameter words: behind the command.
    init?(plain words: [String]) {
        var global = GlobalOptions()
        (global.spool, global.json, global.forceRemote, global.shared) = (nil, false, false, false)
        self.init(global: global)
        var rest = words[...]
        var seen: Set<Substring> = []
        while let word = rest.popFirst() {
            let name = word.prefix { $0 != "=" }
            guard name == "--header" || seen.insert(name).inserted else { return nil }
            if name == word, read(flag: word) { continue }
            guard let value = name == word ? rest.popFirst() : String(word.dropFirst(name.count + 1)) else {
                return nil
            }
            // A value that begins with a dash is rather an option that lacks its value.
            guard !value.isEmpty, name != word || !value.hasPrefix("-"), read(value, of: name) else { return nil }
        }
    }

    private mutating func read(flag: String) -> Bool {
        switch flag {
        case "--json": global.json = true
        case "--force-remote": global.forceRemote = true
        case "--shared": global.shared = true
        default: return false
        }
        return true
    }

    private mutating func read(_ value: String, of option: Substring) -> Bool {
        switch option {
        case "--spool": global.spool = value
        case "--header": headers.append(value)
        case "--deadline": return read(value, into: \.deadline)
        case "--wait": return read(value, into: \.wait)
        default:
            guard let setting = Setting.allCases.first(where: { !$0.isLimit && $0.option == option }) else {
                return false
            }
            given[setting] = value
        }
        return true
    }

    private mutating func read(_ value: String, into time: WritableKeyPath<Self, Double?>) -> Bool {
        guard let seconds = Double(value), Self.seconds.contains(seconds) else { return false }
        self[keyPath: time] = seconds
        return true
    }
}
