import DurableIO
import Reports
import Synchronization
import TestSupport

/// Crashes as programs write them.
enum CrashText {
    /// A crash of Python: those of one function have one signature.
    static func python(_ number: Int, of function: String = "checkout") -> String {
        """
        Traceback (most recent call last):
          File "/srv/shop/app.py", line 12, in <module>
            \(function)(\(number))
          File "/srv/shop/\(function).py", line 3, in \(function)
            raise ValueError(f"order {order}")
        ValueError: order \(number)

        """
    }
}

extension SpoolLimits {
    /// So many reports of one signature within an hour.
    static func braking(_ count: Int) -> SpoolLimits {
        var limits = SpoolLimits()
        limits.maximumPerSignature = SignatureLimit(count: count, per: .seconds(3_600))
        return limits
    }
}

/// Counts the files that appear in `queued/`, and the files that are synced.
final class CallCounter: Sendable {
    private let counts = Mutex((placed: 0, synced: 0))

    func count(_ call: FaultingFileSystem.Call) {
        counts.withLock { counts in
            switch call.operation {
            case .rename, .link: if call.room == "queued" { counts.placed += 1 }
            case .sync: if call.directory == nil { counts.synced += 1 }
            default: break
            }
        }
    }

    var placed: Int { counts.withLock(\.placed) }
    var syncedFiles: Int { counts.withLock(\.synced) }
}
