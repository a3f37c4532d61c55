import Background

extension Router {
    /// The destinations by their names, each with the server to which it leads, as ``SpoolStatus/Origin`` names it.
    package var origins: [(name: String, origin: String)] {
        gateKeys.map { (name: $0.key.name, origin: $0.value) }.sorted { $0.name < $1.name }
    }
}
