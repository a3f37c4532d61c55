import Digests
package import DurableIO
import Synchronization

/// The facts of this machine as the reports of one spool tell them.
///
/// A fact is looked up when a report needs it for the first time, and then kept as long as the spool is open.
final class SpoolFacts: Sendable {
    private let known = Mutex<[MachineFact: String]>([:])

    /// The value of a fact; `nil` if the machine does not have it, or the spool has no salt yet.
    func value(of fact: MachineFact, in spool: ReportSpool) -> String? {
        known.withLock { known in
            if let value = known[fact] { return value }
            let value = Self.value(of: fact, in: spool)
            known[fact] = value
            return value
        }
    }

    private static func value(of fact: MachineFact, in spool: ReportSpool) -> String? {
        let machine = MachineFacts(spool.options.factPlaces, files: spool.files)
        if let value = machine.value(of: fact) { return value }
        guard fact == .machineID, machine.hasIdentifier else { return nil }
        return SpoolSalt.read(from: spool).flatMap { machine.identifier(salt: $0) }
    }
}

extension MachineFacts {
    /// The value of a fact that does not depend on the spool; `nil` for one that does.
    package func value(of fact: MachineFact) -> String? {
        switch fact {
        case .host: host
        case .os: system
        case .kernel: kernel
        case .machineID: nil
        }
    }
}

extension ReportSpool {
    /// The value of a fact of this machine in this spool's reports.
    package func value(of fact: MachineFact) -> String? { facts.value(of: fact, in: self) }

    /// The annotations that each report gets, with the facts of this machine. A fact that cannot be had is left out.
    package var annotations: AnnotationRules { options.annotations.completed { value(of: $0) } }
}
