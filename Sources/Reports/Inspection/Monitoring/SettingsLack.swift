/// What keeps reports from going out, although each setting in force is valid.
package struct SettingsLack: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// No endpoint is set. Reports that wait for one cannot be sent.
        case endpoint
        /// The machine's configuration file counts for nothing in the machine's own spool.
        case file
    }

    package let kind: Kind
    /// In the machine's spool nothing can be sent later, either: it is wrong before a report waits.
    package let isOfMachine: Bool
    package let message: String
    /// What a person can do.
    package let advice: String

    package init(_ kind: Kind, isOfMachine: Bool, message: String, advice: String) {
        self.kind = kind
        self.isOfMachine = isOfMachine
        self.message = message
        self.advice = advice
    }

    /// Finds what settings lack; `nil` if they lack nothing.
    /// - Parameters:
    ///   - settings: those in force.
    ///   - knowsServer: whether the ledger knows a server of the spool. Then an option or a program may name the
    ///     endpoint, and settings without one are no fault, except in the machine's spool.
    init?(of settings: Settings, knowsServer: Bool) {
        let (isOfMachine, advice) = (settings.isOfMachine, settings.endpointAdvice)
        if let message = settings.missingEndpointWords, settings.isMachineWithoutEndpoint || !knowsServer {
            self.init(.endpoint, isOfMachine: isOfMachine, message: message, advice: advice)
        } else if isOfMachine, let message = settings.unreadFileWords {
            self.init(.file, isOfMachine: isOfMachine, message: message, advice: advice)
        } else {
            return nil
        }
    }
}

extension SpoolFigures {
    /// Adds what is known of the settings.
    package mutating func add(_ settings: Result<Settings, any Error>) {
        switch settings {
        case .success(let settings):
            // Without a ledger nothing tells whether a program names the endpoint.
            lack = SettingsLack(of: settings, knowsServer: knowsServer || ledgerProblem != nil)
            namedDestinations = settings.destinationNames
        case .failure(let error): settingsProblem = (error as? ReportsError)?.message ?? "\(error)"
        }
    }

    /// How much the lack matters; `nil` while it does not.
    var lackLevel: SpoolCheck.Level? {
        switch lack?.kind {
        case .endpoint where undeliveredToEndpointCount > 0: .critical
        case .endpoint, .file: lack?.isOfMachine == true ? .warning : nil
        case nil: nil
        }
    }
}
