/// A protocol of valgrind in text: each line begins with the process' number.
///
/// ```
/// ==5844== Memcheck, a memory error detector
/// ==5844== Command: ./shopd --port 80
/// ==5844==
/// ==5844== Invalid write of size 4
/// ==5844==    at 0x10A4A1: settle (misc.cpp:22)
/// ==5844==    by 0x10A4D2: main (in /srv/shop/bin/shopd)
/// ==5844==  Address 0x18 is not stack'd, malloc'd or (recently) free'd
/// ==5844==
/// ==5844== Process terminating with default action of signal 11 (SIGSEGV): dumping core
/// ==5844== ERROR SUMMARY: 1 errors from 1 contexts (suppressed: 0 from 0)
/// ```
/// Source: `coregrind/m_errormgr.c` and `coregrind/m_signals.c` of valgrind.
enum ValgrindTextFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("=="), .beginning("**")]

    static let words = ["== ", "** "]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        var protocols: [Int64: ValgrindProtocol] = [:]
        var order: [Int64] = []
        for place in places {
            guard let (process, line) = self.line(text.lines[place]) else { continue }
            if protocols[process] == nil {
                // Programs that were started by the program have protocols of their own.
                guard order.count < 64 else { continue }
                protocols[process] = ValgrindProtocol(process: process, place: place)
                order.append(process)
            }
            protocols[process]?.add(line)
        }
        let findings = order.compactMap { protocols[$0]?.finding }
        return findings.first { $0.severity == .fatal } ?? findings.first
    }

    /// The process and the rest of `==5844== Invalid write of size 4`.
    private static func line(_ line: ArraySlice<UInt8>) -> (process: Int64, rest: ArraySlice<UInt8>)? {
        let mark = line.prefix(2)
        let digits = line.dropFirst(2).prefix(while: \.isDigit)
        guard let process = digits.decimalNumber, line[digits.endIndex...].starts(with: mark) else { return nil }
        let rest = line[(digits.endIndex + 2)...]
        guard rest.isEmpty || rest.first == 0x20 else { return nil }
        return (process, rest.dropFirst())
    }
}
