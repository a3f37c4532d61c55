/// The traceback of an exception group, whose members stand behind a margin of bars.
///
/// ```
///   + Exception Group Traceback (most recent call last):
///   |   File "/srv/shop/worker.py", line 61, in drain_queues
///   |     async with asyncio.TaskGroup() as group:
///   | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)
///   +-+---------------- 1 ----------------
///     | Traceback (most recent call last):
///     |   File "/srv/shop/queues/mail.py", line 14, in flush
///     | ConnectionRefusedError: [Errno 111] Connect call failed ('192.0.2.25', 25)
///     +------------------------------------
/// ```
/// Source: `traceback._ExceptionPrintContext` of CPython 3.11 and newer. Members may be groups themselves, and may have
/// no traceback.
enum PythonExceptionGroup {
    private typealias Lines = [ArraySlice<UInt8>]

    /// The group whose title is the first of the lines: its own exception first, then the members in their order.
    static func read(_ lines: ArraySlice<ArraySlice<UInt8>>, end: Int) -> PythonTraceback? {
        let (sections, count) = self.sections(in: lines.dropFirst())
        guard let own = sections.first else { return nil }
        // Without the margin the group's own part is an ordinary traceback.
        let title = Array(PythonTraceback.title.utf8)[...]
        let reachesEnd = sections.count == 1 && lines.startIndex + 1 + count >= end
        guard var group = PythonTraceback(([title] + own)[...], end: reachesEnd ? own.count + 1 : Int.max) else {
            return nil
        }
        for section in sections.dropFirst().prefix(Crash.Bounds.earlierCauseCount) {
            if let member = self.member(section) { group.exceptions.append(member) }
        }
        group.lines = lines.startIndex..<lines.startIndex + 1 + count
        return group
    }

    /// The exception of a member: the last one, if it was raised while another one was handled.
    private static func member(_ section: Lines) -> RaisedException? {
        let start = section.lastIndex { line in
            line.elementsEqual(PythonTraceback.title.utf8)
                || line.starts(with: "Exception Group Traceback (most recent call last):".utf8)
        }
        guard let start else { return PythonTraceback.exception(in: section[...])?.exception }
        return PythonTraceback(section[start...], end: section.count)?.exceptions.first
    }

    /// The lines behind the margin, parted where the margin has a rule, and how many lines all of them take.
    private static func sections(in lines: ArraySlice<ArraySlice<UInt8>>) -> (sections: [Lines], count: Int) {
        var sections: [Lines] = [[]]
        var index = lines.startIndex
        while index < lines.endIndex {
            let margin = lines[index].drop { $0 == 0x20 }
            if margin.starts(with: "+-".utf8) {
                sections.append([])
            } else if let content = margin.dropping("|") {
                sections[sections.count - 1].append(content.dropping(" ") ?? content)
            } else if self.isMessage(at: index, in: lines) {
                sections[sections.count - 1].append(lines[index])
            } else {
                break
            }
            index += 1
        }
        return (sections, index - lines.startIndex)
    }

    /// Whether a line without a margin belongs to a message of several lines, which get none.
    private static func isMessage(at index: Int, in lines: ArraySlice<ArraySlice<UInt8>>) -> Bool {
        for line in lines[index...].prefix(RaisedException.maximumLineCount) {
            if line.starts(with: PythonTraceback.title.utf8) || line.starts(with: PythonTraceback.groupTitle.utf8) {
                return false
            }
            let margin = line.drop { $0 == 0x20 }
            if margin.startIndex > line.startIndex, margin.starts(with: "| ".utf8) || margin.starts(with: "+-".utf8) {
                return true
            }
        }
        return false
    }
}
