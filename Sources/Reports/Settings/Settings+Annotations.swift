import DurableIO

/// The annotations that the settings give to each report.
extension Settings {
    static let annotationsVariable = "REPORTS_ANNOTATIONS"

    /// Reads the annotations of all places: the variable over the configuration files.
    mutating func annotate(_ sources: Sources, _ layers: SettingsLayers) throws(ReportsError) {
        let name = Self.annotationsVariable
        let variable = sources.value(ofVariable: name).map { lines in
            AnnotationSetting.lines(Array(lines.utf8), from: .variable(name))
        }
        for given in GivenAnnotation.merged([variable ?? []] + layers.annotations) {
            switch given.setting {
            case .success(let setting): annotations.append(setting)
            case .failure(let error) where sources.isForSpoolAlone: annotationProblems.append(error)
            case .failure(let error): throw error
            }
        }
        annotations.sort { $0.key < $1.key }
    }

    /// The annotations as a spool's writers apply them.
    package var annotationRules: AnnotationRules {
        var rules = AnnotationRules()
        for annotation in annotations {
            switch annotation.value {
            case .fact(let fact): rules.facts[annotation.key] = fact
            case .text(let text):
                rules.values[annotation.key] = text
                if annotation.isFixed { rules.fixedKeys.insert(annotation.key) }
            }
        }
        return rules
    }

    /// Finds out the facts that the annotations ask for, to show them.
    /// - Parameter spool: the spool; `nil` when there is none yet.
    package mutating func learnFacts(of spool: ReportSpool?) {
        for annotation in annotations {
            guard case .fact(let fact) = annotation.value else { continue }
            facts[fact] = spool.map { $0.value(of: fact) } ?? MachineFacts().value(of: fact)
        }
    }

    /// Which annotations reports lack because a fact is not known, and why. The facts have to be learnt.
    package var missingFactWords: [String] {
        annotations.compactMap { annotation in
            guard case .fact(let fact) = annotation.value, facts[fact] == nil else { return nil }
            let isForSpool = fact == .machineID && MachineFacts().hasIdentifier
            let reason =
                if isForSpool {
                    "the spool has no salt for it yet: the next 'reports submit' makes one"
                } else if fact == .machineID {
                    "this machine has no id in /etc/machine-id: make one with systemd-machine-id-setup"
                } else {
                    "this machine does not tell it"
                }
            let name = "the annotation \(annotation.key) (\(fact.rawValue))"
            return "\(name) is left out, because its value is not known: \(reason)"
        }
    }
}
