import Background

extension Doctor {
    /// Reports that no run with these settings sends, because it has no destination of that name.
    func examineDestinations(_ report: (Finding) throws -> Void) throws {
        for one in try inspector.destinations(named: namedDestinations) {
            guard let name = one.name, one.liveCount > 0 else { continue }
            let count = one.liveCount == 1 ? "1 report" : "\(one.liveCount) reports"
            let message: String
            if one.isInSettings == false {
                message =
                    "\(count) bound for it, and the settings name no destination \(name): name it in reports.json, "
                    + "or 'reports retry' them, which asks the routes anew; nothing is wrong if a program names it"
            } else if one.isInSettings == nil, one.origin == nil, name != Lane.main.name {
                // That the settings lack an endpoint is a note of its own.
                message =
                    "\(count) bound for it, and neither the settings nor an earlier run say where it is: "
                    + "name it in reports.json"
            } else {
                continue
            }
            try report(Finding(level: .note, subject: "destination \(name)", message: message))
        }
    }
}
