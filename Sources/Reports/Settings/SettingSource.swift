/// Where a setting's value comes from.
package enum SettingSource: Hashable, Sendable {
    case option(String)
    case variable(String)
    /// The configuration file's path, the member, and where its value stands.
    case file(String, key: String, place: TextPlace?)
    case standard

    /// As errors begin: what a person has to mend.
    package var subject: String {
        switch self {
        case .option(let name): name
        case .variable(let name): "$\(name)"
        case .file(let path, let key, let place): "\(path): \(place.map { "\($0): " } ?? "")\(key)"
        case .standard: "the default"
        }
    }

    /// As `status` tells it.
    package var description: String {
        switch self {
        case .option(let name): name
        case .variable(let name): "$\(name)"
        case .file(let path, _, _): path
        case .standard: "default"
        }
    }

    /// A wrong option is a wrong call; all else is configuration.
    var errorCode: ReportsError.Code {
        if case .option = self { .badArgument } else { .badConfiguration }
    }
}
