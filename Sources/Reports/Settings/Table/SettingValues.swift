package import Background

/// The typed values of all settings, with those of one destination.
struct SettingValues: Sendable {
    var limits = SpoolLimits()
    var sending = SendingSettings()
    var destination = DestinationSettings()
}

/// How all destinations are reached.
package struct SendingSettings: Hashable, Sendable {
    package var timeouts = ConnectionTimeouts()
    package var maximumConcurrent = 16
}
