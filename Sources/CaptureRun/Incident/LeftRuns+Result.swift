package import DurableIO

/// A program that lives although the process that watched it is gone.
package struct OutlivingProgram: Hashable, Sendable {
    package let pid: Int32
    /// When it was started, in clock ticks since the boot.
    let startTicks: UInt64?
    let bootID: String

    /// The program of a run; `nil` where it is not known well enough to be found again.
    init?(_ facts: ProgramFacts?) {
        guard let facts, let pid = facts.pid, let bootID = facts.bootID else { return nil }
        (self.pid, self.bootID, startTicks) = (pid, bootID, facts.startTicks)
    }

    package func isAlive(_ clock: any SystemClock) -> Bool {
        ProcessState.isAlive(pid, startTicks: startTicks, bootID: bootID, clock: clock)
    }
}

extension LeftRuns {
    /// What a sweep has found.
    package struct Result: Sendable {
        /// The incidents whose drops are in `incoming/` now.
        package internal(set) var told: [String] = []
        /// The directories that stay although nobody works on them, by their paths in the spool, and why.
        package internal(set) var problems: [(path: String, reason: String)] = []
        /// How many runs are under way: the process that watches the program lives, or the program does.
        package internal(set) var livingCount = 0
        /// The programs of those that no process watches any more. Nothing in the spool tells of their ends.
        package internal(set) var outliving: [OutlivingProgram] = []
        /// How many have left more than ``LeftRuns/byteLimit``, and wait for somebody who has the time.
        package internal(set) var postponedCount = 0
        /// How many are worth another try although nothing tells when: something has failed, as on a full disk, or
        /// another process is telling of them and may not come to its end.
        package internal(set) var unfinishedCount = 0

        /// A sweep that has found nothing.
        package init() {}

        /// A sweep that could not begin.
        package init(failedAt path: String, _ error: FileSystemError) {
            fail(at: path, error)
        }

        mutating func fail(at path: String, _ error: FileSystemError) {
            problems.append((path, "\(error)"))
            unfinishedCount += 1
        }

        mutating func note(_ step: Step, of incident: String) {
            switch step {
            case .living: livingCount += 1
            case .outlived(let program):
                livingCount += 1
                outliving.append(program)
            case .inHand: unfinishedCount += 1
            case .postponed: postponedCount += 1
            case .nothing: break
            case .told: told.append(incident)
            }
        }
    }

    /// What is to be done about a directory.
    enum Step: Sendable {
        /// A process holds its lock.
        case living
        /// Nobody holds its lock, and the program lives.
        case outlived(OutlivingProgram)
        /// Another process is telling of it.
        case inHand
        /// It has left more than may be told of now.
        case postponed
        /// Nothing is to be told of it, and it is removed.
        case nothing
        case told
    }
}
