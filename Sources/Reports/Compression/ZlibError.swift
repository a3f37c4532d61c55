import CZlib

/// A refusal of zlib, or of the rules this package adds to it.
///
/// Holds no byte of the data it is about, so that it may be logged.
package struct ZlibError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// zlib could not allocate its state.
        case outOfMemory
        /// The compressed bytes are not what a compressor writes, or their checksum disagrees.
        case damaged
        /// The compressed bytes end before their own end mark.
        case truncated
        /// Bytes follow where nothing may follow.
        case trailingBytes
        /// A call out of order, such as a write after the finish; a programmer's error.
        case misuse
    }

    package let code: Code
    /// What happened, in words; zlib's own when it has any.
    package let message: String

    package var description: String { "\(code): \(message)" }

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Translates a status of zlib.
    ///
    /// - Parameters:
    ///   - status: Any status but `Z_OK` and `Z_STREAM_END`.
    ///   - detail: The stream's `msg`, when it has one.
    init(status: Int32, detail: UnsafePointer<CChar>?) {
        let code: Code =
            switch status {
            case Z_MEM_ERROR: .outOfMemory
            case Z_DATA_ERROR, Z_NEED_DICT: .damaged
            default: .misuse
            }
        self.init(code, String(cString: detail ?? zError(status)))
    }
}

/// Why a pass from one side of zlib to the other stopped: zlib itself, or whoever takes its output.
package enum CompressionFailure<Output: Error>: Error {
    case zlib(ZlibError)
    case output(Output)
}
