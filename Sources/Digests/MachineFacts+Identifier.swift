package import DurableIO

extension MachineFacts {
    /// A name of the machine: 32 hexadecimal digits that stay the same for one salt.
    ///
    /// The machine's id is confidential (machine-id(5)): it must not be sent to others. So this is an HMAC-SHA-256
    /// that is keyed with the id, as systemd makes ids for programs. Nobody gets the id from it, and nobody finds out
    /// that values made with two salts are from one machine.
    package func identifier(salt: [UInt8]) -> String? {
        machineID.map { AuthenticationCode.of(Self.purpose.utf8 + salt, key: $0).prefix(16).hexDigits }
    }

    /// Keeps the values apart from those that other programs make of the same id.
    private static let purpose = "reports/machine_id"
}
