import Foundation

/// A manual page of `Examples/man`, by its macros.
struct ManualPage {
    /// The lines below each heading, `.Sh` or `.Ss`, up to the next one.
    private(set) var sections: [String: [Substring]] = [:]
    let text: String

    init(_ name: String) throws {
        text = try ShippedFiles.text("Examples/man/\(name)")
        var title = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix(".Sh ") || line.hasPrefix(".Ss ") {
                title = String(line.dropFirst(4))
            } else {
                sections[title, default: []].append(line)
            }
        }
    }

    /// The options that a section explains, as they are typed.
    func options(in section: String) -> Set<String> {
        var found: Set<String> = []
        for line in sections[section] ?? [] where line.hasPrefix(".It Fl ") {
            for words in String(line.dropFirst(4)).split(separator: " , ") {
                let words = words.split(separator: " ")
                guard words.count >= 2, words[0] == "Fl" else { continue }
                found.insert("-" + words[1])
            }
        }
        return found
    }

    /// The sections that a section refers to.
    func references(in section: String) -> [String] {
        (sections[section] ?? []).filter { $0.hasPrefix(".Sx ") }.map { line in
            String(line.dropFirst(4)).trimmingCharacters(in: [" ", ",", ".", ";"])
        }
    }

    /// The entries of the lists in a section: what each item is called, and its text without macros, in one line.
    func items(in section: String) -> [String: String] {
        var items: [String: String] = [:]
        var name: String?
        for line in sections[section] ?? [] {
            if line.hasPrefix(".It ") {
                name = line.split(separator: " ").last.map(String.init)
            } else if line.hasPrefix(".El") {
                name = nil
            } else if let name {
                items[name, default: ""] += Self.plain(line) + " "
            }
        }
        return items
    }

    private static func plain(_ line: Substring) -> String {
        guard line.hasPrefix(".") else { return String(line) }
        var words = line.split(separator: " ").dropFirst().map(String.init)
        if line.hasPrefix(".Fl ") { words[0] = "-" + words[0] }
        // Punctuation stands apart from a macro's words.
        if let last = words.last, [".", ",", ";"].contains(last) {
            words.removeLast()
            words[words.count - 1] += last
        }
        return words.joined(separator: " ")
    }
}
