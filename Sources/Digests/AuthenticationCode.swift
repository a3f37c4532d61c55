import Crypto

/// The HMAC-SHA-256 of some bytes (RFC 2104): nobody makes it without the key.
package enum AuthenticationCode {
    /// - Returns: 32 bytes.
    package static func of(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = HMAC<SHA256>(key: SymmetricKey(data: key))
        code.update(data: bytes)
        return Array(code.finalize())
    }
}
