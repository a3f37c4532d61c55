import Background

/// A destination with its name, which is also the name of its lane in the ledger.
package struct NamedDestination: Sendable {
    package let name: String
    package var destination: Destination

    package init(_ name: String, _ destination: Destination) {
        self.name = name
        self.destination = destination
    }
}

/// What a run sends to: its destinations, and the routes between them.
package struct Routing: Sendable {
    /// At least one. What no route matches goes to the first.
    package let destinations: [NamedDestination]
    /// `nil` for a run of one destination, `main`, that leaves reports of other lanes alone.
    package let routes: [Route]?

    /// A run without routes.
    package init(_ destination: Destination) {
        destinations = [NamedDestination(Lane.main.name, destination)]
        routes = nil
    }

    /// A run with routes, which may be empty.
    /// - Throws: ``ReportsError/Code/badConfiguration`` for a name that is none or is given twice, and for a route to a
    ///   destination that there is not.
    package init(_ destinations: [NamedDestination], routes: [Route]) throws(ReportsError) {
        func problem(_ text: String) -> ReportsError { ReportsError(.badConfiguration, text) }
        guard !destinations.isEmpty else { throw problem("there is no destination") }
        var names: Set<String> = []
        for destination in destinations {
            guard Self.isName(destination.name) else { throw problem(Self.nameProblem(destination.name)) }
            guard names.insert(destination.name).inserted else {
                throw problem("the destination \(destination.name) is given twice")
            }
        }
        for route in routes {
            if case .to(let name) = route.outcome, !names.contains(name) {
                throw problem("a route leads to \"\(name)\", but there is no such destination")
            }
        }
        self.destinations = destinations
        self.routes = routes
    }

    /// Whether a text can name a destination: 1 to 32 of `[a-z0-9-]`.
    package static func isName(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    package static func nameProblem(_ text: String) -> String {
        "a destination's name has 1 to 32 of a-z, 0-9 and -, which \"\(text)\" has not"
    }

    /// Checks all destinations.
    package func validate() throws(ReportsError) {
        for named in destinations {
            do {
                _ = try named.destination.validate()
            } catch {
                let message = "the destination \(named.name): \(error.message)"
                throw ReportsError(error.code, message, underlyingError: error)
            }
        }
    }
}
