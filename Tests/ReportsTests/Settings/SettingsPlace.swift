import Foundation
import Reports
import SystemPackage
import TestSupport

/// A directory with a spool in it that has settings.
struct SettingsPlace {
    let directory: String

    var file: String { directory + "/spool/reports.json" }
    /// Stands for the machine's configuration file.
    var systemFile: String { directory + "/etc/reports.json" }

    func write(_ name: String, _ text: String) throws {
        try write(name, Array(text.utf8))
    }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: directory + "/" + name))
    }

    func settings(
        _ environment: [String: String] = [:], _ options: [Setting: String] = [:], headers: [HeaderSetting] = []
    ) throws -> Settings {
        var sources = Settings.Sources(spool: FilePath(directory + "/spool"))
        sources.systemFile = FilePath(systemFile)
        sources.options = options
        sources.headers = headers
        sources.variable = { environment[$0] }
        sources.variableNames = { Array(environment.keys) }
        return try Settings(sources)
    }

    /// What counts where only the spool is asked for.
    func settingsOfSpool() throws -> Settings {
        var sources = Settings.Sources(spool: FilePath(directory + "/spool"))
        sources.systemFile = FilePath(systemFile)
        sources.variable = { _ in nil }
        sources.isForSpoolAlone = true
        return try Settings(sources)
    }

    /// What is said about settings that cannot be, without the file's path.
    func problem() throws -> String {
        do {
            _ = try settings()
            return "none"
        } catch let error as ReportsError {
            return error.message.replacingOccurrences(of: file + ": ", with: "")
        }
    }
}

/// Runs `body` in a place whose `reports.json` is the text; without one, the place has no such file.
func withSettingsPlace(_ json: String? = nil, _ body: (SettingsPlace) throws -> Void) throws {
    try withTemporaryDirectory { directory in
        let place = SettingsPlace(directory: directory)
        for folder in ["spool", "etc"] {
            try FileManager.default.createDirectory(
                atPath: "\(directory)/\(folder)", withIntermediateDirectories: true)
        }
        if let json { try place.write("spool/reports.json", json) }
        try body(place)
    }
}
