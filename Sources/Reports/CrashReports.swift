import CaptureRun
import DurableIO

/// Makes the Swift runtime leave a report of each crash of this program in a spool.
///
/// ```swift
/// @main
/// struct Shop {
///     static func main() async throws {
///         let reporter = try Reporter(spool: "/var/spool/shop", destination: .http("https://example.com/reports/{id}"))
///         CrashReports.capture(into: reporter, service: "shop", version: "2.1")
///         // Sends the crash of the last launch, if there was one.
///         try await reporter.submitPending(deadline: .seconds(5))
///     }
/// }
/// ```
/// The crash of one launch is sent by the next one, or by any other process that submits for the spool, such as
/// `reports watch`. Besides this, nothing of the program changes: the crash is written by a helper that the runtime
/// starts when the program dies, the program's own exit status stays, and a program that does not crash does no more
/// than it did.
public enum CrashReports {
    /// What became of a call of ``capture(into:service:version:)``.
    public enum Outcome: Hashable, Sendable {
        /// `SWIFT_BACKTRACE` makes the runtime leave the report of each crash from now on in this directory. Whether the
        /// runtime has its helper, nobody asks: see ``CrashReports/capture(into:service:version:)``.
        case capturing(directory: String)
        /// `SWIFT_BACKTRACE` says `enable=no`, or names another place for the reports, for example that of
        /// `reports run`, or that of the program that has started this one: this is left as it is.
        case leftToEnvironment
        /// Crashes leave no report, for this reason.
        case unavailable(reason: String)
    }

    /// Starts the program once more, with the same arguments and as the same process, with `SWIFT_BACKTRACE` set; does
    /// nothing where the variable is set already.
    ///
    /// The runtime reads the variable before `main`, so that it cannot be set later. Call this first: whatever the program
    /// has done before is done again, and descriptors that it has opened without `O_CLOEXEC` stay open. If the variable
    /// is in the program's unit file, container or launcher, this call returns at once.
    ///
    /// A program that is linked with `-static-stdlib` needs `swift-backtrace=PATH` in the variable as well, because the
    /// runtime then looks for its helper beside the program. Without it, crashes leave nothing, and the runtime says at
    /// each start that it cannot find the helper.
    ///
    /// Programs that this one starts inherit the variable: if they are written in Swift, their crashes are reported, too,
    /// with the service and version of this one. To give a child a service of its own, take `SWIFT_BACKTRACE` out of its
    /// environment before it calls this function.
    /// - Parameters:
    ///   - reporter: The reporter of the spool. The directory for the crashes is made if it is missing.
    ///   - service: The annotation `service` of each crash: up to 64 bytes of `A-Z a-z 0-9 . _ : -`. The default, `nil`,
    ///     leaves it to the reporter's own annotations.
    ///   - version: The annotation `version` of each crash, of the same bytes. It needs a service.
    /// - Returns: What crashes leave from now on. The call does not return when it starts the program once more.
    @discardableResult
    public static func capture(
        into reporter: Reporter, service: String? = nil, version: String? = nil
    ) -> Outcome {
        let directory: String
        do throws(ReportsError) {
            directory = try reporter.place.madeDropDirectory(service: service, version: version)
        } catch {
            return .unavailable(reason: error.message)
        }
        return capture(in: directory, variable: Environment.value(name)) { value in
            ProgramRestart.restart(setting: name, to: value)
        }
    }

    private static let name = "SWIFT_BACKTRACE"

    /// - Parameters:
    ///   - directory: where the runtime is to write.
    ///   - variable: what the environment says.
    ///   - restart: starts the program once more with another value; returns, with a reason, only when it could not.
    /// - Returns: what crashes leave from now on.
    static func capture(
        in directory: String, variable: String?, restart: (_ value: String) -> String
    ) -> Outcome {
        guard !directory.contains(",") else {
            return .unavailable(reason: "\(directory): \(name) has no way to write a path with a comma")
        }
        if let variable, RuntimeVariables.outputDirectory(inSwiftBacktrace: variable) == directory {
            return .capturing(directory: directory)
        }
        guard let value = RuntimeVariables.swiftBacktrace(variable, directory: directory) else {
            return .leftToEnvironment
        }
        return .unavailable(reason: restart(value))
    }
}
