import DurableIO

/// What the settings lack, in words for people.
extension Settings {
    /// That the machine's configuration file counts for nothing, and why; `nil` if it counts, or does not exist.
    package var unreadFileWords: String? {
        unreadFile.map { "\($0) is not used: user \(UserIdentity.name) may not read it" }
    }

    /// Which file of variables this command has not read; `nil` if there is none for this spool.
    package var unitFileWords: String? {
        unitFile.map { "\($0) counts for the units of the package alone, and not for this command" }
    }

    /// What looks like a slip in destinations and routes, although it is valid: formats that this version does not
    /// know, routes behind one that matches all, and destinations that get no report.
    package var routingHints: [String] {
        guard let routes else { return [] }
        let formats = routes.flatMap(\.strangeFormats).map { format in
            "\(format.source.subject): no report has the format \"\(Printable.text(format.name))\" "
                + "as far as this version knows"
        }
        let end = routes.firstIndex { $0.route.matchesAll } ?? routes.endIndex
        let behind = routes.dropFirst(end + 1).map { route in
            "\(route.source.subject): matches no report: routes[\(end)], which stands before it, matches all"
        }
        let used = routes.prefix(end + 1).map(\.route.outcome)
        let idle = destinations.enumerated().filter { index, destination in
            (index > 0 || end < routes.endIndex) && !used.contains(.to(destination.name))
        }
        return formats + behind
            + idle.map { "no route leads to the destination \($0.element.name): no report goes there" }
    }

    /// Where an endpoint may be set.
    package static let endpointPlaces =
        "--endpoint, $REPORTS_ENDPOINT, the spool's reports.json or /etc/reports/reports.json"

    /// That no setting names an endpoint or destinations, and which file was not read that may name one; `nil` if one is set.
    package var missingEndpointWords: String? {
        guard !hasEndpoint else { return nil }
        let files = [unreadFileWords, unitFileWords].compactMap(\.self)
        return (["no endpoint is set: nothing can be sent"] + files).joined(separator: "; ")
    }

    /// What a person can do about it.
    package var endpointAdvice: String {
        // To other users' spools it need not be open.
        if isOfMachine, unreadFile != nil { return "give the file the group of that user, and mode 640" }
        let file = isOfMachine ? "/etc/reports/reports.json" : "the spool's reports.json, or in $REPORTS_ENDPOINT"
        return "name your server in \(file)"
    }

    /// Whether no reports can leave the machine's spool for want of an endpoint that its service reads.
    ///
    /// Another spool may belong to a program that names its endpoint itself.
    package var isMachineWithoutEndpoint: Bool { isOfMachine && !hasEndpoint && unitFile == nil }
}
