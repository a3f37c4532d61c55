import Background

/// A spool's figures as metrics, for Prometheus and what reads its formats.
///
/// The names are a contract: alerting rules depend on them. No label holds a secret: a server is named by scheme, host
/// and port.
package struct SpoolMetrics: Sendable {
    private let figures: SpoolFigures
    private let spool: String

    /// - Parameters:
    ///   - figures: what is told.
    ///   - spool: the spool's path, a label of each metric: one machine may have several spools.
    package init(_ figures: SpoolFigures, spool: String) {
        self.figures = figures
        self.spool = spool
    }

    package func text(as form: MetricFamily.Form) -> String {
        MetricFamily.text(
            reports + drops + events + destinations + gates + limits + state, common: [("spool", spool)], as: form)
    }

    // MARK: - Reports

    private var reports: [MetricFamily] {
        let states = figures.states.map { one in
            (sum: one.sum, labels: [(name: "state", value: one.state.rawValue), Self.destination(one.destination)])
        }
        let held = figures.held.map { held in
            MetricFamily.Sample(
                held.count, [(name: "reason", value: held.reason.rawValue), Self.destination(held.destination)])
        }
        let stored = figures.stored
        return [
            .gauge(
                "reports_spool_reports", "Reports by state; without a destination those of which none has been chosen.",
                states.map { MetricFamily.Sample($0.sum.count, $0.labels) }),
            .gauge(
                "reports_spool_bytes", unit: "bytes", "Compressed size of the reports by state, also of gone ones.",
                states.map { MetricFamily.Sample($0.sum.byteCount, $0.labels) }),
            .gauge("reports_stored_reports", "Reports whose bytes are in the spool.", stored.count),
            .gauge("reports_stored_bytes", unit: "bytes", "Compressed size of these reports.", stored.byteCount),
            .gauge(
                "reports_held_reports",
                "Reports that wait for a change, by reason; a route holds those of reason route.", held),
            .timestamp(
                "reports_oldest_undelivered_timestamp_seconds",
                "When the oldest undelivered report came that no route holds; absent when there is none.",
                figures.oldest?.since),
            .timestamp(
                "reports_next_attempt_timestamp_seconds", "When the next report is due; absent when none waits.",
                figures.nextAttempt),
        ]
    }

    private static func destination(_ name: String) -> (name: String, value: String) {
        (name: "destination", value: name)
    }

    private var drops: [MetricFamily] {
        [
            .gauge("reports_incoming_drops", "Drops that no submit has collected.", figures.drops.count),
            .gauge(
                "reports_incoming_bytes", unit: "bytes", "Size of these drops, of the first 10,000.",
                figures.drops.byteCount),
            .gauge("reports_left_drops", "Drops that no submit can take as they are.", figures.leftDropCount),
        ]
    }

    private var events: [MetricFamily] {
        func samples(
            _ event: EventCount.Event, _ value: (SpoolFigures.Sum) -> UInt64
        ) -> [MetricFamily.Sample] {
            figures.events.filter { $0.event == event }.map { one in
                let limit = one.limit.map { [(name: "limit", value: $0)] } ?? []
                return MetricFamily.Sample(value(one.sum), [Self.destination(one.destination)] + limit)
            }
        }
        let count = { (sum: SpoolFigures.Sum) in UInt64(clamping: sum.count) }
        return [
            .counter(
                "reports_delivered", "Reports delivered since the ledger was made.", samples(.delivered, count)),
            .counter(
                "reports_delivered_bytes", unit: "bytes", "Compressed size of delivered reports.",
                samples(.delivered, \.byteCount)),
            .counter(
                "reports_evicted", "Reports lost to a limit since the ledger was made.", samples(.evicted, count)),
            .counter(
                "reports_evicted_bytes", unit: "bytes", "Compressed size of evicted reports.",
                samples(.evicted, \.byteCount)),
            .timestamp(
                "reports_last_delivery_timestamp_seconds",
                "When the last report was delivered; absent when that is not known.", figures.lastDelivery),
            .timestamp(
                "reports_last_eviction_timestamp_seconds",
                "When the last report was evicted, max_per_signature aside; absent when that is not known.",
                figures.lastEviction),
            .gauge(
                "reports_braked_signatures", "Signatures that max_per_signature leaves reports out of now.",
                figures.brakedNow.signatures),
            .timestamp(
                "reports_last_braked_timestamp_seconds",
                "When max_per_signature left out the last report; absent when that is not known.", figures.lastBraked),
        ]
    }

    // MARK: - Destinations and servers

    /// With the server of each, so that they can be joined with the figures of its gate.
    private var destinations: [MetricFamily] {
        func samples(_ value: (SpoolFigures.Destination) -> Int64?) -> [MetricFamily.Sample] {
            figures.destinations.compactMap { one in
                value(one).map { MetricFamily.Sample(time: $0, Self.labels(one)) }
            }
        }
        let closed = Set(figures.gates.filter { $0.closure != nil }.map(\.origin))
        let open = figures.destinations.compactMap { one in
            one.origin.map { MetricFamily.Sample(closed.contains($0) ? 0 : 1, Self.labels(one)) }
        }
        return [
            .gauge("reports_destination_open", "Whether reports may be sent to the destination now.", open),
            .gauge(
                "reports_destination_oldest_undelivered_timestamp_seconds", unit: "seconds",
                "When the oldest undelivered report of the destination came that no route holds.",
                samples(\.oldest)),
            .gauge(
                "reports_destination_next_attempt_timestamp_seconds", unit: "seconds",
                "When the next report of the destination is due.", samples(\.nextAttempt)),
        ]
    }

    private static func labels(_ one: SpoolFigures.Destination) -> MetricFamily.Labels {
        [destination(one.name), (name: "origin", value: one.origin ?? "")]
    }

    private var gates: [MetricFamily] {
        func samples<Value: BinaryInteger>(_ value: (SpoolFigures.Gate) -> Value) -> [MetricFamily.Sample] {
            figures.gates.map { MetricFamily.Sample(value($0), [Self.origin($0)]) }
        }
        return [
            .gauge(
                "reports_gate_open", "Whether reports may be sent to the server now.",
                samples { $0.closure == nil ? 1 : 0 }),
            .gauge(
                "reports_gate_closed", "1 with the reason for which nothing is sent to the server now.",
                figures.gates.compactMap { gate in
                    gate.closure.map { MetricFamily.Sample(1, [Self.origin(gate), (name: "reason", value: $0)]) }
                }),
            .gauge(
                "reports_gate_opens_timestamp_seconds", unit: "seconds", "When the server is tried again.",
                figures.gates.compactMap { gate in
                    gate.opensAt.map { MetricFamily.Sample(time: $0, [Self.origin(gate)]) }
                }),
            .gauge("reports_gate_failures", "Failures of the server in a row.", samples(\.failures)),
            .gauge(
                "reports_gate_waiting_reports", "Undelivered reports that are bound for the server.",
                samples(\.waitingCount)),
        ]
    }

    private static func origin(_ gate: SpoolFigures.Gate) -> (name: String, value: String) {
        (name: "origin", value: gate.origin)
    }

    // MARK: - The spool

    private var limits: [MetricFamily] {
        var families: [MetricFamily] = [
            .gauge("reports_limit_reports", "max_count: how many reports are stored.", figures.limits.maximumCount),
            .gauge(
                "reports_limit_age_seconds", unit: "seconds", "max_age_days: how long a report is kept.",
                figures.limits.maximumAge.components.seconds),
        ]
        guard let space = figures.space, let maximum = figures.maximumByteCount, let floor = figures.freeFloor else {
            return families
        }
        families += [
            .gauge("reports_limit_bytes", unit: "bytes", "max_total_size: how much the reports take.", maximum),
            .gauge("reports_limit_free_bytes", unit: "bytes", "min_free_space: what must stay free.", floor),
            .gauge(
                "reports_filesystem_free_bytes", unit: "bytes", "Free space of the spool's file system.",
                space.available),
            .gauge(
                "reports_filesystem_size_bytes", unit: "bytes", "Size of the spool's file system.", space.total),
        ]
        return families
    }

    private var state: [MetricFamily] {
        [
            .gauge("reports_owner_present", "Whether a process moves reports on.", figures.hasOwner ? 1 : 0),
            .timestamp(
                "reports_owner_since_timestamp_seconds", "Since when that process does so.", figures.ownerSince),
            .gauge(
                "reports_ledger_problem", "Whether the ledger is missing or damaged.",
                figures.ledgerProblem == nil ? 0 : 1),
            .gauge(
                "reports_room_problems", "Directories of the spool that cannot be looked into.",
                figures.roomProblems.count),
            .gauge(
                "reports_settings_problem",
                "Whether the settings in force cannot be used, or lack an endpoint.",
                figures.settingsProblem == nil && figures.lackLevel == nil ? 0 : 1),
            .timestamp("reports_metrics_timestamp_seconds", "When these metrics were gathered.", figures.time),
            // No info metric: the textfile collector refuses a file that has one.
            .gauge(
                "reports_build_info", "The version of reports.",
                [MetricFamily.Sample(1, [(name: "version", value: ReportsVersion.current)])]),
        ]
    }
}
